internal import PostgreSQL

/// Removes messages that nobody needs any more, or that nobody has come for in a long time. They are those to processes that
/// have ended, to groups that nobody is of, to servers that are not there: else they would stay for ever.
struct StaleMessages {
    private let store: PromiseStore

    /// How many messages are looked at in one go.
    private static let slice = 1000
    /// For how long, in milliseconds, the news that a promise is settled is kept: seven days.
    static let age: Int64 = 7 * 24 * 3_600_000

    /// Of `m`; `$1` is when news is too old. A task is offered for as long as it can be had at that version.
    private static let condition = """
        NOT EXISTS (SELECT FROM sluice.promise p WHERE p.id = m.promise)
            OR m.version IS NULL AND m.written_at < $1::bigint
            OR m.version IS NOT NULL AND NOT EXISTS (
                SELECT FROM sluice.task t WHERE t.id = m.promise AND t.state = 'pending' AND t.version = m.version
            )
        """

    init(_ store: PromiseStore) {
        self.store = store
    }

    /// Looks at every message once, slowly, then rests, again and again.
    func run() async throws -> Never {
        while true {
            var cursor: String? = ""
            while let from = cursor, !store.isFrozen {
                cursor = try await remove(after: from)
                try await Task.sleep(for: .milliseconds(50))
            }
            try await Task.sleep(for: .seconds(60) * Double.random(in: 0.9...1.1))
        }
    }

    /// Where to go on; nil at the end.
    func remove(after cursor: String) async throws -> String? {
        let limit = try await store.now() - Self.age
        let rows = try await store.pool.withConnection { connection in
            try await connection.query(
                """
                SELECT m.key, \(Self.condition) AS is_stale
                FROM (SELECT * FROM sluice.message WHERE key > $2 ORDER BY key LIMIT \(Self.slice)) m ORDER BY m.key
                """,
                [.integer(limit), .text(cursor)]
            ).rows
        }
        var keys: [String] = []
        for row in rows where try row.boolean("is_stale") { keys.append(try row.text("key")) }
        if !keys.isEmpty { try await remove(keys, writtenBefore: limit) }
        return rows.count < Self.slice ? nil : try rows.last?.text("key")
    }

    /// Looks at each again when nobody can write another in its place.
    func remove(_ keys: [String], writtenBefore limit: Int64) async throws {
        try await store.pool.withConnection { connection in
            try await connection.transaction { connection in
                let locked = try await connection.query(
                    "SELECT key FROM sluice.message WHERE key = ANY ($1::text[]) ORDER BY key FOR UPDATE SKIP LOCKED",
                    [.textArray(keys)]
                ).rows.map { try $0.text("key") }
                try await connection.query(
                    "DELETE FROM sluice.message m WHERE m.key = ANY ($2::text[]) AND (\(Self.condition))",
                    [.integer(limit), .textArray(locked)]
                )
            }
        }
    }
}
