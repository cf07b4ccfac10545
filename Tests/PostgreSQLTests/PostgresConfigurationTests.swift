import Foundation
import TestSupport
import Testing

@testable import PostgreSQL

@Suite("the URL of a database")
struct PostgresConfigurationTests {
    static let password = "hunter2-s3cr3t"

    @Test(
        "of a tenant may say this",
        arguments: [
            "postgresql://u:p@db.example/shop",
            "postgres://u:p@db.example:6432/shop?sslmode=require&connect_timeout=3",
            "postgresql://u:p@db.example/shop?sslmode=verify-full&sslrootcert=system",
            "postgresql://u:p@a:1,b:2,c:5433/shop?target_session_attrs=read-write",
            "postgresql://u:p@[::1]:5432/shop?keepalives=0&tcp_user_timeout=1000&application_name=x",
            "postgresql://u@db/shop?hostaddr=10.0.0.1&channel_binding=require",
            "host=db.example user=u password=p dbname=shop",
        ])
    func allowed(url: String) throws {
        let configuration = try PostgresConfiguration(url: url, origin: .tenant, applicationName: "sluice/x")
        #expect(configuration.database == "shop")
        #expect(configuration.user == "u")
        #expect(configuration.applicationName == "sluice/x")
    }

    @Test(
        "of a tenant may not say this",
        arguments: [
            "postgresql://u:p@db/shop?sslcert=/etc/operator.crt",
            "postgresql://u:p@db/shop?sslkey=/etc/operator.key",
            "postgresql://u:p@db/shop?sslrootcert=/etc/ca.pem",
            "postgresql://u:p@db/shop?sslmode=require&sslrootcert=system",
            "postgresql://u:p@db/shop?sslcrl=/x",
            "postgresql://u:p@db/shop?sslcrldir=/x",
            "postgresql://u:p@db/shop?sslpassword=x",
            "postgresql://u:p@db/shop?passfile=/root/.pgpass",
            "postgresql://u:p@db/shop?service=production",
            "postgresql://u:p@db/shop?options=-c%20row_security%3Doff",
            "postgresql://u:p@db/shop?krbsrvname=x",
            "postgresql://u:p@db/shop?gsslib=x",
            "postgresql://u:p@db/shop?gssencmode=require",
            "postgresql://u:p@db/shop?requirepeer=postgres",
            "postgresql://u:p@db/shop?replication=database",
            "postgresql://u:p@/shop",
            "postgresql:///shop?user=u",
            "postgresql://u:p@/shop?host=/run/postgresql",
            "postgresql://u:p@%2Frun%2Fpostgresql/shop",
            "postgresql://u:p@/shop?host=%40abstract",
            "postgresql://u:p@db,/shop",
            "postgresql://db/shop",
            "host=/tmp user=u dbname=shop",
            "user=u dbname=shop hostaddr=127.0.0.1",
        ])
    func refused(url: String) throws {
        let error = try #require(throws: PostgresError.self) {
            try PostgresConfiguration(url: url, origin: .tenant, applicationName: "sluice/x")
        }
        #expect(error.code == .configuration)
    }

    @Test(
        "that cannot be read is refused without a part of its password",
        arguments: [
            "postgresql://u:\(password)%zz@db/shop",
            "postgresql://u:x@\(password)@db/shop",
            "postgresql://u:x/\(password)@db/shop",
            "postgresql://u:\(password)/x@db/shop",
            "postgresql://u:1/\(password)@db/shop",
            "postgresql://u:x@db:\(password)/shop",
            "postgresql://u:x@[db/\(password)",
            "postgresql://u:x@db/shop?\(password)=1",
            "postgresql://u:x@db/shop?port=0\(password)",
            "u:\(password)@db/shop",
            "password=\(password) \(password)",
            "",
        ])
    func malformed(url: String) throws {
        for origin in [PostgresConfiguration.Origin.tenant, .operatorOwned]
        where !(url.isEmpty && origin == .operatorOwned) {
            let error = try #require(throws: PostgresError.self) {
                try PostgresConfiguration(url: url, origin: origin, applicationName: "sluice/x")
            }
            #expect(!"\(error)".contains("hunter2"))
        }
    }

    @Test("waits for a connection as long as its URL says, a tenant's half a minute at most")
    func connectTimeout() throws {
        func seconds(_ text: String, _ origin: PostgresConfiguration.Origin) throws -> Duration {
            try PostgresConfiguration(
                url: "postgresql://u@db/shop\(text)", origin: origin, applicationName: "sluice/x"
            ).connectTimeout
        }
        #expect(try seconds("", .tenant) == .seconds(10))
        #expect(try seconds("?connect_timeout=3", .tenant) == .seconds(3))
        #expect(try seconds("?connect_timeout=3600", .tenant) == .seconds(30))
        #expect(try seconds("?connect_timeout=3600", .operatorOwned) == .seconds(3600))
    }

    @Test("is described without its password, however it is looked at")
    func description() throws {
        let configuration = try PostgresConfiguration(
            url: "postgresql://u:\(Self.password)@db:6432/shop", origin: .tenant, applicationName: "sluice/x")
        #expect(configuration.description == "postgresql://u@db:6432/shop")
        #expect(configuration.identity == "db:6432/shop")
        #expect(configuration.host == "db")
        #expect(configuration.port == 6432)
        var dumped = ""
        dump(configuration, to: &dumped)
        dump(PostgresPool(configuration, maximum: 1), to: &dumped)
        #expect(!dumped.contains("hunter2"))
        #expect(!String(reflecting: configuration).contains("hunter2"))
    }

    @Test("of a tenant leaves no keyword for the environment or the operator's home to fill")
    func explicit() throws {
        let configuration = try PostgresConfiguration(
            url: "postgresql://u@db", origin: .tenant, applicationName: "sluice/x")
        let parameters = configuration.parameters.revealed
        // A service fills only what is not given.
        let silent = parameters.keywords.filter { parameters.values[$0] == nil }
        #expect(silent == ["service"])
        #expect(configuration.database == "u")
        // libpq takes an empty file name for the one in the home folder.
        for file in ["passfile", "sslcert", "sslkey", "sslrootcert", "sslcrl"] {
            #expect(parameters.values[file] == "/dev/null/none")
        }
    }

    @Test("of a tenant that verifies the server trusts what the system does")
    func authorities() throws {
        let configuration = try PostgresConfiguration(
            url: "postgresql://u@db/shop?sslmode=verify-full", origin: .tenant, applicationName: "sluice/x")
        let file = try #require(configuration.parameters.revealed.values["sslrootcert"])
        #expect(file == "system" || file.hasPrefix("/etc/ssl/"))
    }
}

@Suite("a connection that cannot be made")
struct ConnectingTests {
    @Test("says why, with SQLSTATE and without the password")
    func wrongPassword() async throws {
        try await withTestDatabase { url in
            let role = uniqueName("role")
            try await withConnection(url) { try await $0.execute("CREATE ROLE \"\(role)\" LOGIN PASSWORD 'right-one'") }
            var components = try #require(URLComponents(string: url))
            components.user = role
            components.password = PostgresConfigurationTests.password
            components.path = "/" + uniqueName("missing")
            let error = try await postgresError { try await withConnection(try #require(components.string)) { _ in } }
            #expect(error.code == .refused)
            // A server that trusts its loopback says that there is no such database.
            #expect(["28P01", "3D000"].contains(error.sqlState))
            #expect(!error.isTransient)
            #expect(!String(reflecting: error).contains("hunter2"))
            #expect(!"\(error)".contains("LOCATION"))
            try await withConnection(url) { try await $0.execute("DROP ROLE \"\(role)\"") }
        }
    }

    @Test("because no password was given is refused, and says where it belongs")
    func noPassword() async throws {
        var components = try #require(URLComponents(string: try TestServers.databaseURL))
        components.password = nil
        components.query = "passfile=/dev/null/none"
        var configuration = try configuration(try #require(components.string))
        configuration.passwordPlace = "the safe"
        let fixed = configuration
        let error = try await postgresError { _ = try await PostgresConnection.connect(fixed) }
        #expect(error.code == .refused)
        #expect(!error.isTransient)
        #expect(error.message.hasSuffix("no password supplied; the password belongs in the safe"), "\(error)")
    }

    @Test(
        "to a host that is not there names the host only",
        arguments: ["does-not-exist.invalid:5432", "127.0.0.1:1"])
    func wrongHost(host: String) async throws {
        let url = "postgresql://u:\(PostgresConfigurationTests.password)@\(host)/shop"
        let error = try await postgresError { try await withConnection(url) { _ in } }
        #expect(error.code == .connection)
        #expect(error.isTransient)
        #expect("\(error)".contains(host))
        #expect(!String(reflecting: error).contains("hunter2"))
    }

    @Test("goes on to the next host")
    func nextHost() async throws {
        let port = try #require(URLComponents(string: try TestServers.databaseURL)?.port)
        var components = try #require(URLComponents(string: try TestServers.databaseURL))
        components.host = nil
        let user = components.user.map { $0 + (components.password.map { ":" + $0 } ?? "") + "@" } ?? ""
        let url = "postgresql://\(user)127.0.0.1:1,127.0.0.1:\(port)\(components.path)"
        try await withConnection(url) { connection in
            let answer = try await connection.query("SELECT 1")
            #expect(answer.rows.count == 1)
        }
    }

    @Test("because nobody answers ends in time", .timeLimit(.minutes(1)))
    func silent() async throws {
        let listener = try ScriptedServer { _ in .silence }
        defer { listener.stop() }
        var configuration = try configuration("postgresql://u:x@127.0.0.1:\(listener.port)/shop")
        configuration.connectTimeout = .milliseconds(200)
        let fixed = configuration
        let error = try await postgresError { _ = try await PostgresConnection.connect(fixed) }
        #expect(error.code == .timeout)
        #expect(error.isTransient)
    }
}
