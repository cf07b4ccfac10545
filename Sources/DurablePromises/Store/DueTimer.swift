internal import PostgreSQL

/// A timer whose time has come.
struct DueTimer: Sendable {
    var kind: TimerChange.Kind
    var id: String
    /// Milliseconds since 1970.
    var at: Int64
    var event: PromiseEvent

    /// How many are looked for at a time.
    static let batch = 1000

    /// The oldest, at most ``batch``; those after `last`.
    static func all(_ pool: PostgresPool, at now: Int64, after last: DueTimer?) async throws -> [DueTimer] {
        let rows = try await pool.withConnection { connection in
            let statement = PostgresStatement(
                """
                SELECT t.kind, t.id, t.at, s.promise_id, s.next_run_at
                FROM (
                    SELECT kind, id, at FROM sluice.timer
                    WHERE at <= $1::bigint AND (at, kind, id) > ($2::bigint, $3::text, $4::text)
                    ORDER BY at, kind, id LIMIT \(batch)
                ) t LEFT JOIN sluice.schedule s ON t.kind = 'schedule' AND s.id = t.id
                ORDER BY t.at, t.kind, t.id
                """,
                [.integer(now), .integer(last?.at ?? .min), .text(last?.kind.rawValue ?? ""), .text(last?.id ?? "")],
                isPrepared: true
            )
            guard let outcome = try await connection.pipeline([statement]).first else { return [PostgresRow]() }
            return try outcome.get().rows
        }
        return try rows.map { try DueTimer($0) }
    }

    private init(_ row: PostgresRow) throws {
        let kind = try row.text("kind")
        guard let known = TimerChange.Kind(rawValue: kind) else {
            throw PromiseError(.incompatible, "a timer of the store is of the unknown kind \(kind)")
        }
        self.kind = known
        id = try row.text("id")
        at = try row.integer("at")
        event =
            switch known {
            case .promise: .deadline(promise: id)
            case .task: .wake(task: id)
            case .schedule: .tick(schedule: id, promise: try Self.promise(row, schedule: id))
            }
    }

    /// Of a schedule that is gone none: then only the timer is left to be removed.
    private static func promise(_ row: PostgresRow, schedule id: String) throws -> String {
        guard let template = row["promise_id"] else { return "" }
        return ScheduleRecord.promiseId(template, schedule: id, at: try row.integer("next_run_at"))
    }

    /// Gives timers another time, unless they have been moved meanwhile.
    static func move(_ timers: [DueTimer], to time: Int64, _ pool: PostgresPool) async throws {
        guard !timers.isEmpty else { return }
        _ = try await pool.withConnection { connection in
            try await connection.query(
                """
                UPDATE sluice.timer t SET at = $4 FROM unnest($1::text[], $2::text[], $3::bigint[]) u (kind, id, at)
                WHERE t.kind = u.kind AND t.id = u.id AND t.at = u.at
                """,
                [
                    .textArray(timers.map(\.kind.rawValue)), .textArray(timers.map(\.id)),
                    .textArray(timers.map { String($0.at) }), .integer(time),
                ]
            )
        }
    }
}
