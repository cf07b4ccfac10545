internal import PostgreSQL

/// Removes families of promises of which every one was settled long ago. While one of a family is pending its worker may
/// yet ask what the others came to.
struct Retention {
    private let store: PromiseStore
    private let age: Int64

    /// How many promises are looked at in one go.
    private static let slice = 2000

    init(_ store: PromiseStore, _ age: Duration) {
        self.store = store
        self.age = Int64(age / .milliseconds(1))
    }

    /// Looks at every promise once, slowly, then rests.
    func run() async throws {
        var cursor: String? = ""
        while let from = cursor {
            try Task.checkCancellation()
            cursor = try await removeOld(after: from)
            try await Task.sleep(for: .milliseconds(50))
        }
        try await Task.sleep(for: .seconds(60) * Double.random(in: 0.9...1.1))
    }

    /// Where to go on; nil at the end.
    func removeOld(after cursor: String) async throws -> String? {
        let limit = try await store.now() - age
        let rows = try await store.pool.withConnection { connection in
            try await connection.query(
                """
                SELECT id, state <> 'pending' AND settled_at < $2::bigint AS is_old
                FROM sluice.promise WHERE id > $1 ORDER BY id LIMIT \(Self.slice)
                """,
                [.text(cursor), .integer(limit)]
            ).rows
        }
        var families: Set<String> = []
        for row in rows where try row.boolean("is_old") { families.insert(Lineage.partition(try row.text("id"))) }
        if !families.isEmpty { try await remove(families, settledBefore: limit) }
        return rows.count < Self.slice ? nil : try rows.last?.text("id")
    }

    /// Under the families' locks, looks at the whole of each again.
    private func remove(_ families: Set<String>, settledBefore limit: Int64) async throws {
        let condition = """
            SELECT f.name FROM unnest($1::text[]) f (name)
            WHERE NOT EXISTS (
                SELECT FROM sluice.promise p
                WHERE (p.id = f.name COLLATE "C"
                        OR p.id >= (f.name || '.') COLLATE "C" AND p.id < (f.name || '/') COLLATE "C"
                        OR p.id >= (f.name || ':') COLLATE "C" AND p.id < (f.name || ';') COLLATE "C")
                    AND (p.state = 'pending' OR p.settled_at >= $2::bigint)
            )
            """
        try await store.pool.withConnection { connection in
            try await connection.transaction { connection in
                let partitions = Set(families.map { Partition.ofPromise($0) })
                let lock = BatchStatements.lock(partitions)
                _ = try await connection.query(lock.sql, lock.parameters)
                let dead = try await connection.query(
                    condition,
                    [.textArray(Array(families)), .integer(limit)]
                ).rows.compactMap { $0[0] }
                for table in ["task", "promise"] {
                    try await connection.query(
                        """
                        DELETE FROM sluice.\(table) r USING unnest($1::text[]) f (name)
                        WHERE r.id = f.name COLLATE "C"
                            OR r.id >= (f.name || '.') COLLATE "C" AND r.id < (f.name || '/') COLLATE "C"
                            OR r.id >= (f.name || ':') COLLATE "C" AND r.id < (f.name || ';') COLLATE "C"
                        """,
                        [.textArray(dead)]
                    )
                }
            }
        }
    }
}
