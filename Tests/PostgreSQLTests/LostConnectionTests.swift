import PostgreSQL
import TestSupport
import Testing

@Suite("a connection that is lost")
struct LostConnectionTests {
    @Test("because its backend was terminated says so", .timeLimit(.minutes(1)))
    func terminated() async throws {
        try await withTestDatabase { url in
            try await withConnection(url) { connection in
                let sleeper = Task { try await connection.query("SELECT pg_sleep(600)") }
                try await withConnection(url) { observer in
                    try await eventually("it runs") {
                        try await observer.query(
                            "SELECT FROM pg_stat_activity WHERE pid = $1 AND wait_event = 'PgSleep'",
                            [.integer(Int64(connection.processID))]
                        ).affectedRows == 1
                    }
                    try await observer.query(
                        "SELECT pg_terminate_backend($1)", [.integer(Int64(connection.processID))])
                }
                let error = try await postgresError { _ = try await sleeper.value }
                #expect(error.code == .connection)
                #expect(error.sqlState == "57P01")
                #expect(error.isTransient)
                #expect(connection.isClosed)
                let later = try await postgresError { try await connection.query("SELECT 1") }
                #expect(later.code == .connection)
            }
        }
    }

    @Test("in a crash of the server fails what runs and what waits", .timeLimit(.minutes(1)))
    func crash() async throws {
        try await withPrivatePostgres { server in
            try await withConnection(server.url) { connection in
                let waiting = (0..<5).map { _ in Task { try await connection.query("SELECT pg_sleep(600)") } }
                try await withConnection(server.url) { observer in
                    try await eventually("it runs") {
                        try await observer.query(
                            "SELECT FROM pg_stat_activity WHERE pid = $1 AND wait_event = 'PgSleep'",
                            [.integer(Int64(connection.processID))]
                        ).affectedRows == 1
                    }
                    try await server.kill()
                }
                for each in waiting {
                    let error = try await postgresError { _ = try await each.value }
                    #expect(error.code == .connection)
                    #expect(error.isTransient)
                }
                #expect(connection.isClosed)
            }
            let refused = try await postgresError { try await withConnection(server.url) { _ in } }
            #expect(refused.code == .connection)
            #expect(refused.isTransient)
            try await server.restart()
            try await withConnection(server.url) { connection in
                let answer = try await connection.query("SELECT 1")
                #expect(answer.rows.count == 1)
            }
        }
    }

    @Test("on purpose answers everything with closed")
    func closed() async throws {
        try await withDatabaseConnection { connection in
            await connection.close()
            await connection.close()
            let error = try await postgresError { try await connection.query("SELECT 1") }
            #expect(error.code == .closed)
        }
    }
}
