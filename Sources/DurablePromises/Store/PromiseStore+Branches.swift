public import PostgreSQL

/// The branches of executions: what others did for a root, each a promise that names another branch than the root's, and
/// all that they made below it. Whoever asked says when nobody needs them any more, long before the root's family is old.
///
/// The roots are without a colon. A prefix ends with a separator: so `root:step.` means none that is called `root:step2`.
extension PromiseStore {
    /// How many are removed or cancelled at a time, so that their locks are held for a moment only.
    private static let atOnce = 200

    /// Removes settled promises with their tasks, timers and messages, in the transaction that is open: some at a time. One
    /// that is past its deadline counts as settled, unless somebody has still to be told.
    ///
    /// - Returns: whether there may be more.
    public static func removeSettledBranches(
        beginningWith prefix: String,
        on connection: PostgresConnection
    ) async throws -> Bool {
        let ids = try await branches(beginningWith: prefix, where: isOver, on: connection)
        guard !ids.isEmpty else { return false }
        let lock = BatchStatements.lock(Set(ids.map { Partition.ofPromise($0) }))
        _ = try await connection.query(lock.sql, lock.parameters)
        // Looked at again: before the lock was there, somebody may have removed one and made it anew.
        try await connection.query(
            """
            WITH removed AS (
                DELETE FROM sluice.promise p WHERE p.id = ANY ($1::text[]) AND \(isOver) RETURNING p.id
            ), \(PromiseRemoval.ofAttachments)
            """,
            [.textArray(ids)]
        )
        return ids.count == atOnce
    }

    /// Cancels those that are pending, for which nobody waits any more.
    public func cancelBranches(beginningWith prefix: String) async throws {
        while true {
            let ids = try await pool.withConnection { connection in
                try await Self.branches(beginningWith: prefix, where: "NOT \(Self.isOver)", on: connection)
            }
            try await cancel(ids)
            if ids.count < Self.atOnce { return }
        }
    }

    /// Cancels promises, in their order, for which nobody waits any more. One that is settled stays as it is.
    ///
    /// - Parameter value: says why.
    public func cancel(_ ids: [String], value: PromiseValue = PromiseValue()) async throws {
        var rest = ids[...]
        while !rest.isEmpty {
            let requests = rest.prefix(Self.atOnce).map { id in
                Request(.settlePromise(PromiseSettlement(id: id, state: .rejectedCanceled, value: value)))
            }
            // One that is gone meanwhile was settled before.
            for response in try await process(requests) where response.status != 404 { _ = try response.get() }
            rest = rest.dropFirst(Self.atOnce)
        }
    }

    private static func branches(
        beginningWith prefix: String,
        where condition: String,
        on connection: PostgresConnection
    ) async throws -> [String] {
        guard let last = prefix.utf8.last, last < 0x7f else {
            throw PromiseError(.malformed, "a prefix of ids ends with a separator: \"\(prefix)\"")
        }
        let end = String(prefix.dropLast()) + String(Unicode.Scalar(last + 1))
        return try await connection.query(
            """
            SELECT p.id FROM sluice.promise p
            WHERE p.id > $1 COLLATE "C" AND p.id < $2 COLLATE "C"
                AND p.tags ->> '\(PromiseTag.branch)' <> split_part(p.id, ':', 1) AND \(condition)
            ORDER BY p.id LIMIT \(atOnce)
            """,
            [.text(prefix), .text(end)]
        ).rows.map { try $0.text("id") }
    }

    /// Whether the promise `p` is settled, or as good as that.
    private static let isOver = """
        (p.settled_at IS NOT NULL OR p.timeout_at <= floor(extract(epoch FROM clock_timestamp()) * 1000)::bigint
            AND NOT EXISTS (SELECT FROM sluice.callback c WHERE c.awaited = p.id)
            AND NOT EXISTS (SELECT FROM sluice.listener l WHERE l.awaited = p.id))
        """
}
