internal import PostgreSQL

/// Removes families of promises of which every one was settled long ago. While one of a family is pending its worker may
/// yet ask what the others came to.
///
/// A family are a root and all that name it as their origin, or are called after it. A promise that is past its deadline
/// counts as settled at that time, whether it was written or not: nobody may ever ask for it again.
struct Retention {
    private let store: PromiseStore
    private let age: Int64

    /// How many promises are looked at in one go.
    private static let slice = 2000
    /// How many families are removed in one transaction: each has a lock, of which a server has room for some thousands.
    private static let familiesAtOnce = 200

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
                SELECT id, \(Self.root) AS root, coalesce(settled_at, timeout_at) < $2::bigint AS is_old
                FROM sluice.promise p WHERE id > $1 ORDER BY id LIMIT \(Self.slice)
                """,
                [.text(cursor), .integer(limit)]
            ).rows
        }
        var roots: Set<String> = []
        for row in rows where try row.boolean("is_old") { roots.insert(try row.text("root")) }
        var rest = roots.sorted()[...]
        while !rest.isEmpty {
            try await remove(Array(rest.prefix(Self.familiesAtOnce)), settledBefore: limit)
            rest = rest.dropFirst(Self.familiesAtOnce)
        }
        return rows.count < Self.slice ? nil : try rows.last?.text("id")
    }

    /// The root of the promise `p`; of one that names none, what stands before the first colon.
    private static let root = "coalesce(p.tags ->> '\(PromiseTag.origin)', split_part(p.id, ':', 1))"

    /// The promises `p` of the families of the roots `f.name`. The ids of a family begin with its root, so they are found by
    /// the key; not all that begin so belong to it.
    private static let ofFamily = """
        (p.id = f.name COLLATE "C"
            OR (p.id >= (f.name || '.') COLLATE "C" AND p.id < (f.name || '/') COLLATE "C"
                OR p.id >= (f.name || ':') COLLATE "C" AND p.id < (f.name || ';') COLLATE "C")
            AND \(root) = f.name)
        """

    /// Under the families' locks, looks at the whole of each again.
    private func remove(_ roots: [String], settledBefore limit: Int64) async throws {
        try await store.pool.withConnection { connection in
            try await connection.transaction { connection in
                let lock = BatchStatements.lock(Set(roots.map { Partition.ofPromise($0) }))
                _ = try await connection.query(lock.sql, lock.parameters)
                try await connection.query(
                    """
                    WITH dead AS (
                        SELECT f.name FROM unnest($1::text[]) f (name)
                        WHERE NOT EXISTS (
                            SELECT FROM sluice.promise p
                            WHERE \(Self.ofFamily) AND coalesce(p.settled_at, p.timeout_at) >= $2::bigint
                        )
                    ), removed AS (
                        DELETE FROM sluice.promise p USING dead f WHERE \(Self.ofFamily) RETURNING p.id
                    ), \(PromiseRemoval.ofAttachments)
                    """,
                    [.textArray(roots), .integer(limit)]
                )
            }
        }
    }
}
