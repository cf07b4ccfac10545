import Foundation
import PostgreSQL
import TestSupport
import Testing

@Suite("a deadline for all that is asked of a server", .timeLimit(.minutes(1)))
struct DeadlineTests {
    @Test("ends what a silent server is asked, and keeps nobody from being let in in vain", arguments: [true, false])
    func silent(lets: Bool) async throws {
        let server = try SilentPostgres(lets: lets)
        defer { server.stop() }
        var limited = try configuration(server.url)
        let began = ContinuousClock.now
        limited.deadline = began + .seconds(1)
        let error = try await postgresError {
            let connection = try await PostgresConnection.connect(limited)
            try await connection.query("SELECT 1")
        }
        #expect(error.code == (lets ? .connection : .timeout) && error.message.contains("in time"), "\(error)")
        #expect((.seconds(1)..<(.seconds(5))).contains(.now - began))
        // Nobody is asked after it.
        let later = try await postgresError { _ = try await PostgresConnection.connect(limited) }
        #expect(later.code == .timeout, "\(later)")
    }

    @Test("ends even what cannot be cancelled: the end of a transaction whose server has become silent")
    func commit() async throws {
        try await withTestDatabase { url in
            var place = try #require(URLComponents(string: url))
            let proxy = try TestProxy(.none, to: try #require(place.port))
            defer { proxy.stop() }
            place.port = proxy.port
            var limited = try configuration(try #require(place.string))
            limited.deadline = .now + .seconds(2)
            let began = ContinuousClock.now
            let connection = try await PostgresConnection.connect(limited)
            try await connection.query("SELECT 1")
            let error = try await postgresError {
                try await connection.transaction { _ in proxy.freeze() }
            }
            #expect(error.code == .connection, "\(error)")
            #expect(.now - began < .seconds(6))
            #expect(connection.isClosed)
        }
    }
}
