internal import Logging
internal import PostgreSQL
internal import Synchronization

/// Takes messages out of the database, gives them to whoever is there, and removes those that arrived.
///
/// A message is taken for some time only: when this process ends before the message has arrived, another takes it.
final class MessagePump: Sendable {
    private struct Taken {
        var key: String
        var seq: Int64
        var address: String
        var message: PromiseMessage?
    }

    private struct Ends {
        var arrived: [(key: String, seq: Int64)] = []
        var returned: [(key: String, seq: Int64)] = []
    }

    private let store: PromiseStore
    private let ends = Mutex(Ends())

    /// How many messages are taken at a time.
    private static let batch = 500
    /// For how long, in milliseconds: a stream takes a message at once or is behind, while a server elsewhere is waited for.
    private static let hold: (stream: Int64, web: Int64) = (5_000, 30_000)

    init(_ store: PromiseStore) {
        self.store = store
    }

    /// Removes what arrived, and delivers all that can be.
    func pump() async throws {
        try await settle()
        while true {
            var channels = store.mailroom.channels
            if store.settings.webhook != nil { channels.append(PromiseAddress.web("").channel) }
            guard !channels.isEmpty else { return }
            let taken = try await take(channels)
            await deliver(taken)
            try await settle()
            if taken.count < Self.batch { return }
        }
    }

    private func take(_ channels: [String]) async throws -> [Taken] {
        let now = try await store.now()
        let rows = try await store.pool.withConnection { connection in
            let statement = PostgresStatement(
                """
                WITH taken AS (
                    UPDATE sluice.message m SET attempts = m.attempts + 1, taken_until = $2::bigint
                        + CASE channel WHEN '\(PromiseAddress.web("").channel)' THEN \(Self.hold.web) ELSE \(Self.hold.stream) END
                    FROM (
                        SELECT key FROM sluice.message WHERE channel = ANY ($1::text[]) AND taken_until <= $2::bigint
                        ORDER BY channel, seq LIMIT \(Self.batch) FOR UPDATE SKIP LOCKED
                    ) due
                    WHERE m.key = due.key
                    RETURNING m.key, m.seq, m.promise, m.version AS message_version, m.address
                )
                SELECT taken.*, \(PromiseRows.promiseColumns), t.state AS task_state, t.version
                FROM taken LEFT JOIN sluice.promise p ON p.id = taken.promise LEFT JOIN sluice.task t ON t.id = taken.promise
                ORDER BY taken.seq
                """,
                [.textArray(channels), .integer(now)],
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

    /// Nil when nobody needs it any more.
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

    private func deliver(_ taken: [Taken]) async {
        var posts: [(Taken, PromiseMessage)] = []
        for each in taken {
            guard let message = each.message, let address = PromiseAddress(each.address) else {
                finish(each, isTaken: true)
                continue
            }
            if case .web = address {
                posts.append((each, message))
            } else if !store.mailroom.deliver(message, to: address, ended: { self.finish(each, isTaken: $0) }) {
                finish(each, isTaken: false)
            }
        }
        guard let webhook = store.settings.webhook, !posts.isEmpty else { return }
        await withTaskGroup(of: Void.self) { group in
            for (index, (each, message)) in posts.enumerated() {
                if index >= 16 { await group.next() }
                group.addTask {
                    // What was not taken is tried again when the hold is over: not at once.
                    if await webhook.deliver(message, to: each.address) { self.finish(each, isTaken: true) }
                }
            }
        }
    }

    private func finish(_ taken: Taken, isTaken: Bool) {
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
    private func settle() async throws {
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
