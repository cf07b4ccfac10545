public import PostgreSQL

/// Promises and tasks in a PostgreSQL database, in the schema `sluice`.
///
/// Each request is one transaction: the records that it names are locked, ``PromiseStateMachine`` decides, and what changed
/// is written. The time is the database's, so that two workers agree when a lease ends.
public struct PromiseStore: Sendable {
    let pool: PostgresPool
    let clock: PromiseClock

    /// A store on connections that others may use as well.
    public init(pool: PostgresPool, clock: PromiseClock = .database) {
        self.pool = pool
        self.clock = clock
    }

    /// Does what the request asks, and answers it. Throws only what the database does: a refusal is an answer.
    ///
    /// When a connection is lost the request took effect as a whole or not at all, and every kind may be repeated: a
    /// creation or a settlement that took effect is then answered with the record as it is.
    public func process(_ request: Request) async throws -> Response {
        try await pool.withConnection { connection in
            if request.operation.isReadOnly { return try await read(request, connection) }
            while true {
                let response = try await connection.transaction { connection -> Response? in
                    let response = try await decide(request, connection)
                    // Nothing of a transaction that came too late may stay.
                    if response == nil { try await connection.query("ROLLBACK AND CHAIN") }
                    return response
                }
                if let response { return response }
            }
        }
    }

    /// The records whose ids begin with `idPrefix`, ordered by id, as they are now.
    public func promises(idPrefix: String) async throws -> [PromiseRecord] {
        try await pool.withConnection { connection in
            let result = try await connection.query(
                "SELECT \(PromiseRows.promiseColumns) FROM sluice.promise WHERE id ^@ $1::text ORDER BY id",
                [.text(idPrefix)]
            )
            let now = try await time(connection)
            return try result.rows.map { try PromiseRows.promise($0).projected(at: now) }
        }
    }

    /// Acquires the task of `target` that has been due longest: one that is nobody's, or whose lease has ended. Nil when
    /// there is none. Workers who ask at the same time get different tasks.
    public func claimTask(target: String, processID: String, ttl: Int64) async throws -> TaskClaim? {
        try await pool.withConnection { connection in
            try await connection.transaction { connection -> TaskClaim? in
                let now = try await time(connection)
                let due = try await connection.query(
                    """
                    SELECT task.id, task.version FROM sluice.task JOIN sluice.promise USING (id)
                        WHERE task.target = $1 AND task.due_at <= $2
                            AND (task.state = 'pending' OR task.state = 'acquired' AND task.lease_expires_at <= $2)
                            AND promise.state = 'pending' AND promise.timeout_at > $2
                        ORDER BY task.due_at, task.id LIMIT 1
                        FOR UPDATE OF promise, task SKIP LOCKED
                    """,
                    [.text(target), .integer(now)]
                )
                guard let row = due.rows.first else { return nil }
                let task = TaskReference(id: try row.text("id"), version: try row.integer("version"))
                let request = Request(.acquireTask(task, pid: processID, ttl: ttl))
                guard let response = try await decide(request, connection) else { return nil }
                return try Self.claim(response)
            }
        }
    }

    // MARK: One request

    private func read(_ request: Request, _ connection: PostgresConnection) async throws -> Response {
        let (stored, now) = try await load(request, connection, lock: "")
        return PromiseStateMachine.decide(request, stored: stored, now: now).response
    }

    /// Locks, decides and writes, in the transaction that is open. Nil when somebody else created a promise of that id
    /// meanwhile: then it must be undone and done again.
    private func decide(_ request: Request, _ connection: PostgresConnection) async throws -> Response? {
        let (stored, now) = try await load(request, connection, lock: "FOR UPDATE")
        let decision = PromiseStateMachine.decide(request, stored: stored, now: now)
        // In order of id, and promises first, as they are locked: no two transactions wait for each other.
        var statements: [PostgresStatement] = []
        for promise in decision.changes.promises.values.sorted(by: { $0.id < $1.id }) {
            let isNew = stored.promises[promise.id] == nil
            statements.append(isNew ? try PromiseRows.insert(promise) : try PromiseRows.update(promise))
        }
        for task in decision.changes.tasks.values.sorted(by: { $0.id < $1.id }) {
            guard stored.tasks[task.id] == nil else {
                statements.append(PromiseRows.update(task))
                continue
            }
            guard let promise = decision.changes.promises[task.id] else { continue }
            statements.append(PromiseRows.insert(task, of: promise))
        }
        for statement in statements {
            guard try await connection.query(statement.sql, statement.parameters).affectedRows == 1 else { return nil }
        }
        return decision.response
    }

    /// The time is asked for after the rows are locked: it may have taken long.
    private func load(
        _ request: Request,
        _ connection: PostgresConnection,
        lock: String
    ) async throws -> (PromiseRecords, Int64) {
        let ids: [PostgresValue] = [.textArray(request.operation.ids.sorted())]
        let promises = try await connection.query(
            "SELECT \(PromiseRows.promiseColumns) FROM sluice.promise WHERE id = ANY ($1::text[]) ORDER BY id \(lock)",
            ids
        )
        let tasks = try await connection.query(
            "SELECT \(PromiseRows.taskColumns) FROM sluice.task WHERE id = ANY ($1::text[]) ORDER BY id \(lock)",
            ids
        )
        let records = PromiseRecords(
            promises: try promises.rows.map { try PromiseRows.promise($0) },
            tasks: try tasks.rows.map { try PromiseRows.task($0) }
        )
        return (records, try await time(connection))
    }

    private func time(_ connection: PostgresConnection) async throws -> Int64 {
        switch clock {
        case .manual(let now): return now()
        case .database:
            let sql = "SELECT floor(extract(epoch FROM clock_timestamp()) * 1000)::bigint AS now"
            return try await connection.query(sql).row().integer("now")
        }
    }
}
