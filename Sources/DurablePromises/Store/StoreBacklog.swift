internal import PostgreSQL

/// How much a store holds, and how much of it waits for something to be done.
public struct StoreBacklog: Sendable, Hashable {
    /// Promises, as PostgreSQL estimates them; nil before it has.
    public var promises: Int64?
    /// Messages that have not arrived; at most ``most``.
    public var messages: Int64
    /// Deadlines, leases and schedules whose time has come; at most ``most``. More than a few means that nobody sweeps.
    public var dueTimers: Int64

    /// More are not counted, for that would take too long.
    public static let most: Int64 = 10_000

    public init(promises: Int64?, messages: Int64, dueTimers: Int64) {
        self.promises = promises
        self.messages = messages
        self.dueTimers = dueTimers
    }
}

extension PromiseStore {
    /// Takes a few milliseconds, whatever there is.
    public func backlog() async throws -> StoreBacklog {
        let now = try await now()
        let row = try await pool.withConnection { connection in
            try await connection.query(
                """
                SELECT (SELECT nullif(reltuples, -1)::bigint FROM pg_class WHERE oid = 'sluice.promise'::regclass) AS promises,
                    (SELECT count(*) FROM (SELECT 1 FROM sluice.message LIMIT \(StoreBacklog.most)) m) AS messages,
                    (SELECT count(*) FROM (SELECT 1 FROM sluice.timer WHERE at <= $1::bigint LIMIT \(StoreBacklog.most)) t)
                        AS timers
                """,
                [.integer(now)]
            ).row()
        }
        return StoreBacklog(
            promises: row["promises"] == nil ? nil : try row.integer("promises"),
            messages: try row.integer("messages"),
            dueTimers: try row.integer("timers")
        )
    }
}
