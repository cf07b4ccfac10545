internal import PostgreSQL
internal import Synchronization

/// The messages in the database, for one who delivers them: takes some out, and removes those that arrived.
///
/// A message is taken for some time only: when this process ends before the message has arrived, another takes it.
final class Outbox: Sendable {
    struct Taken: Sendable {
        fileprivate var key: String
        fileprivate var seq: Int64
        var address: String
        /// Nil when nobody needs it any more.
        var message: PromiseMessage?
    }

    /// For how long messages are taken, and which of them first: as SQL.
    struct Terms: Sendable {
        /// In milliseconds.
        var hold: String
        var order: String

        /// A stream takes a message at once or is behind.
        static let streams = Terms(hold: "5000", order: "channel, seq")
        /// A server elsewhere is waited for, and left alone for longer each time it has not taken a message. What was never
        /// tried goes first: whoever is away is not in the way of the others.
        static let posts = Terms(
            hold: "least(900000, 30000::bigint << least(m.attempts, 5))", order: "taken_until, seq")
    }

    private struct Ends {
        var arrived: [(key: String, seq: Int64)] = []
        var returned: [(key: String, seq: Int64)] = []
    }

    private let store: PromiseStore
    private let terms: Terms
    private let ends = Mutex(Ends())

    init(_ store: PromiseStore, _ terms: Terms) {
        self.store = store
        self.terms = terms
    }

    /// At most so many messages of the channels.
    func take(_ most: Int, of channels: [String]) async throws -> [Taken] {
        let now = try await store.now()
        let rows = try await store.pool.withConnection { connection in
            let statement = PostgresStatement(
                """
                WITH taken AS (
                    UPDATE sluice.message m SET attempts = m.attempts + 1, taken_until = $2::bigint + \(terms.hold)
                    FROM (
                        SELECT key FROM sluice.message WHERE channel = ANY ($1::text[]) AND taken_until <= $2::bigint
                        ORDER BY \(terms.order) LIMIT $3::bigint FOR UPDATE SKIP LOCKED
                    ) due
                    WHERE m.key = due.key
                    RETURNING m.key, m.seq, m.promise, m.version AS message_version, m.address
                )
                SELECT taken.*, \(PromiseRows.promiseColumns), t.state AS task_state, t.version
                FROM taken LEFT JOIN sluice.promise p ON p.id = taken.promise LEFT JOIN sluice.task t ON t.id = taken.promise
                ORDER BY taken.seq
                """,
                [.textArray(channels), .integer(now), .integer(Int64(most))],
                isPrepared: true
            )
            guard let outcome = try await connection.pipeline([statement]).first else { return [PostgresRow]() }
            return try outcome.get().rows
        }
        return try rows.map { row in
            Taken(
                key: try row.text("key"),
                seq: try row.integer("seq"),
                address: try row.text("address"),
                message: try Self.message(row, now)
            )
        }
    }

    private static func message(_ row: PostgresRow, _ now: Int64) throws -> PromiseMessage? {
        guard row["id"] != nil else { return nil }
        let promise = try PromiseRows.promise(row).projected(at: now)
        guard row["message_version"] != nil else { return .unblock(promise) }
        let version = try row.integer("message_version")
        guard promise.state == .pending, row["task_state"] == TaskState.pending.rawValue,
            try row.integer("version") == version
        else { return nil }
        return .execute(TaskReference(id: promise.id, version: version))
    }

    /// A message has arrived, or is anybody's again. To be seen to by ``settle()``.
    func finish(_ taken: Taken, isTaken: Bool) {
        let wasEmpty = ends.withLock { ends in
            defer {
                if isTaken {
                    ends.arrived.append((taken.key, taken.seq))
                } else {
                    ends.returned.append((taken.key, taken.seq))
                }
            }
            return ends.arrived.isEmpty && ends.returned.isEmpty
        }
        if wasEmpty { store.mailroom.lookForMail() }
    }

    /// Removes what arrived, unless a later message took its place, and gives back what did not.
    func settle() async throws {
        let ended = ends.withLock { ends in
            defer { ends = Ends() }
            return ends
        }
        do {
            var statements: [PostgresStatement] = []
            if !ended.arrived.isEmpty {
                statements.append(Self.statement("DELETE FROM sluice.message m", ended.arrived))
            }
            if !ended.returned.isEmpty {
                statements.append(Self.statement("UPDATE sluice.message m SET taken_until = 0", ended.returned))
            }
            guard !statements.isEmpty else { return }
            try await store.pool.withConnection { connection in
                for outcome in try await connection.pipeline(statements) { _ = try outcome.get() }
            }
        } catch {
            ends.withLock { ends in
                ends.arrived += ended.arrived
                ends.returned += ended.returned
            }
            throw error
        }
    }

    /// In order of the keys, as they are written: no two wait for each other.
    private static func statement(_ action: String, _ messages: [(key: String, seq: Int64)]) -> PostgresStatement {
        PostgresStatement(
            """
            \(action) WHERE m.key = ANY (ARRAY(
                SELECT l.key FROM sluice.message l JOIN unnest($1::text[], $2::bigint[]) u (key, seq)
                    ON l.key = u.key AND l.seq = u.seq ORDER BY l.key FOR UPDATE OF l
            ))
            """,
            [.textArray(messages.map(\.key)), .textArray(messages.map { String($0.seq) })],
            isPrepared: true
        )
    }
}
