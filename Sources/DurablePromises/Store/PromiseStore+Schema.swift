internal import PostgreSQL

extension PromiseStore {
    /// The version of the tables that this program knows.
    static let schemaVersion: Int64 = 1

    /// The store's tables, as statements that may be repeated. Two programs must not run them at the same time, not even
    /// those that say `IF NOT EXISTS`: ``install()`` takes a lock.
    public static let schemaStatements: [String] = [
        "CREATE SCHEMA IF NOT EXISTS sluice",
        """
        CREATE TABLE IF NOT EXISTS sluice.component (
            name text PRIMARY KEY,
            version bigint NOT NULL
        )
        """,
        """
        CREATE TABLE IF NOT EXISTS sluice.promise (
            id text COLLATE "C" PRIMARY KEY,
            state text NOT NULL
                CHECK (state IN ('pending', 'resolved', 'rejected', 'rejected_canceled', 'rejected_timedout')),
            param json NOT NULL,
            value json NOT NULL,
            tags jsonb NOT NULL,
            timeout_at bigint NOT NULL,
            created_at bigint NOT NULL,
            settled_at bigint,
            CHECK ((state = 'pending') = (settled_at IS NULL))
        )
        """,
        """
        CREATE TABLE IF NOT EXISTS sluice.task (
            id text COLLATE "C" PRIMARY KEY REFERENCES sluice.promise,
            state text NOT NULL CHECK (state IN ('pending', 'acquired', 'suspended', 'halted', 'fulfilled')),
            version bigint NOT NULL CHECK (version >= 0),
            resumes integer NOT NULL,
            ttl bigint,
            pid text,
            lease_expires_at bigint,
            target text NOT NULL,
            due_at bigint NOT NULL,
            CHECK ((state = 'acquired') = (lease_expires_at IS NOT NULL)),
            CHECK ((state = 'acquired') = (ttl IS NOT NULL AND pid IS NOT NULL))
        )
        """,
        """
        CREATE INDEX IF NOT EXISTS task_due ON sluice.task (target, due_at, id) WHERE state IN ('pending', 'acquired')
        """,
        """
        INSERT INTO sluice.component VALUES ('promises', \(schemaVersion))
            ON CONFLICT (name) DO UPDATE SET version = excluded.version WHERE component.version < excluded.version
        """,
    ]

    /// The number of the advisory lock under which Sluice makes tables: `sluice` in ASCII.
    public static let schemaLock: Int64 = 0x73_6c75_6963_65

    /// Makes the tables, or does nothing when they are there. Any number of programs may do so at once.
    ///
    /// Throws `incompatible` when a newer program made them.
    public func install() async throws {
        let isInstalled = try await pool.withConnection { connection in
            try await installedVersion(connection) == Self.schemaVersion
        }
        if isInstalled { return }
        let deadline = ContinuousClock.now + .seconds(30)
        // Not a lock that waits: a session that waits has a snapshot, for which CREATE INDEX CONCURRENTLY would wait.
        while try await !tryInstall() {
            guard ContinuousClock.now < deadline else {
                throw PromiseError(.conflict, "another session has held the lock for Sluice's tables for 30 seconds")
            }
            try await ContinuousClock().sleep(for: .milliseconds(50))
        }
    }

    private func tryInstall() async throws -> Bool {
        try await pool.withConnection { connection in
            try await connection.transaction { connection in
                let lock = try await connection.query(
                    "SELECT pg_try_advisory_xact_lock($1) AS held",
                    [.integer(Self.schemaLock)]
                ).row()
                guard try lock.boolean("held") else { return false }
                if let version = try await installedVersion(connection), version > Self.schemaVersion {
                    let found = "version \(version) of the promises' tables; this program knows \(Self.schemaVersion)"
                    throw PromiseError(.incompatible, "the database has \(found)")
                }
                for statement in Self.schemaStatements { try await connection.query(statement) }
                return true
            }
        }
    }

    private func installedVersion(_ connection: PostgresConnection) async throws -> Int64? {
        let found = try await connection.query("SELECT to_regclass('sluice.component') IS NOT NULL AS found").row()
        guard try found.boolean("found") else { return nil }
        return try await connection.query("SELECT version FROM sluice.component WHERE name = 'promises'")
            .rows.first?.integer("version")
    }
}
