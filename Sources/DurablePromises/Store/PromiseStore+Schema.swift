internal import Logging
public import PostgreSQL

extension PromiseStore {
    /// The version of the tables that this program knows.
    static let schemaVersion = Int64(SchemaVersions.all.count)

    /// The number of the advisory lock under which Sluice makes tables: `sluice` in ASCII.
    public static let schemaLock: Int64 = 0x73_6c75_6963_65

    /// Makes the tables, brings them up to date, or does nothing when they are. Any number of programs may do so at once,
    /// while others work with the tables.
    ///
    /// Throws `incompatible` when a newer program made them.
    public func install() async throws {
        let deadline = ContinuousClock.now + .seconds(30)
        // Not a lock that waits: a session that waits has a snapshot, for which CREATE INDEX CONCURRENTLY would wait.
        while true {
            do {
                if try await pool.withConnection({ try await Self.isInstalled(on: $0) }) { return }
                if try await tryInstall() { return }
            } catch let error as PostgresError where error.isLostRace && ContinuousClock.now < deadline {
                logger.debug("the tables are locked; trying again", metadata: ["error": "\(error.message)"])
            }
            guard ContinuousClock.now < deadline else {
                throw PromiseError(.conflict, "another session has held the lock for Sluice's tables for 30 seconds")
            }
            try await ContinuousClock().sleep(for: .milliseconds(Int64.random(in: 20...120)))
        }
    }

    private func tryInstall() async throws -> Bool {
        // Tables may be large.
        var configuration = pool.configuration
        configuration.answerTimeout = nil
        let connection = try await PostgresConnection.connect(configuration)
        do {
            let isInstalled = try await connection.transaction { connection in
                let lock = try await connection.query(
                    "SELECT pg_try_advisory_xact_lock($1) AS held, set_config('lock_timeout', '500ms', true)",
                    [.integer(Self.schemaLock)]
                ).row()
                guard try lock.boolean("held") else { return false }
                try await Self.makeTables(on: connection)
                return true
            }
            await connection.close()
            return isInstalled
        } catch {
            await connection.close()
            throw error
        }
    }

    /// Whether the tables are there, of this program's version.
    public static func isInstalled(on connection: PostgresConnection) async throws -> Bool {
        try await namingRights { try await installedVersion(connection) } == schemaVersion
    }

    /// Makes what is missing of the tables, in the transaction that is open and has ``schemaLock``.
    ///
    /// Throws `incompatible` when a newer program made them.
    public static func makeTables(on connection: PostgresConnection) async throws {
        try await namingRights { try await makeMissing(on: connection) }
    }

    /// Adds to a refusal which rights are wanted.
    private static func namingRights<Value>(_ body: () async throws -> Value) async throws -> Value {
        do {
            return try await body()
        } catch var error as PostgresError where error.sqlState == "42501" {
            error.message += """
                ; Sluice keeps its tables in the schema sluice, which its user makes (GRANT CREATE ON DATABASE … TO …) or is \
                given (CREATE SCHEMA sluice AUTHORIZATION …)
                """
            throw error
        }
    }

    private static func makeMissing(on connection: PostgresConnection) async throws {
        let found = try await installedVersion(connection) ?? 0
        guard found <= schemaVersion else {
            let words = "the database has version \(found) of the promises' tables; this program knows \(schemaVersion)"
            throw PromiseError(.incompatible, words + ": use a newer one")
        }
        // CREATE SCHEMA IF NOT EXISTS asks for the right to create one, though there is one.
        let schema = try await connection.query("SELECT to_regnamespace('sluice') IS NOT NULL AS found").row()
        if try !schema.boolean("found") { try await connection.query("CREATE SCHEMA sluice") }
        try await connection.query(
            "CREATE TABLE IF NOT EXISTS sluice.component (name text PRIMARY KEY, version bigint NOT NULL)"
        )
        for version in SchemaVersions.all.dropFirst(Int(found)) {
            for statement in version { try await connection.query(statement) }
        }
        try await connection.query(
            """
            INSERT INTO sluice.component VALUES ('promises', $1)
                ON CONFLICT (name) DO UPDATE SET version = excluded.version
            """,
            [.integer(schemaVersion)]
        )
    }

    private static func installedVersion(_ connection: PostgresConnection) async throws -> Int64? {
        let found = try await connection.query("SELECT to_regclass('sluice.component') IS NOT NULL AS found").row()
        guard try found.boolean("found") else { return nil }
        return try await connection.query("SELECT version FROM sluice.component WHERE name = 'promises'")
            .rows.first?.integer("version")
    }
}
