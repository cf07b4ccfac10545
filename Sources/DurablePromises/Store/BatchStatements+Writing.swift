internal import PostgreSQL

/// What a shared transaction writes.
extension BatchStatements {
    /// What fails as a division by zero, and the transaction with it, when a statement that returns a row for each that it
    /// changed has not changed so many: somebody who does not know the lock has been at work.
    private static func exactly(_ rows: Int, _ update: String, _ columns: [[String?]]) -> PostgresStatement {
        let count = "$\(columns.count + 1)::bigint"
        return PostgresStatement(
            """
            WITH changed AS (
                \(update)
                RETURNING 1
            )
            SELECT 1 / (count(*) = \(count))::integer FROM changed
            """,
            columns.map { .textArray($0) } + [.integer(Int64(rows))],
            isPrepared: true
        )
    }

    private static func statement(_ sql: String, _ columns: [[String?]] = []) -> PostgresStatement {
        PostgresStatement(sql, columns.map { .textArray($0) }, isPrepared: true)
    }

    static func write(_ outcome: PromiseStateMachine.Outcome, over stored: PromiseRecords) -> [PostgresStatement] {
        let promises = outcome.changes.promises.values.sorted { $0.id < $1.id }
        let tasks = outcome.changes.tasks.values.sorted { $0.id < $1.id }
        return write(promises, over: stored) + write(tasks, over: stored, outcome.changes)
            + write(callbacks: outcome.changes.callbacks, removing: outcome.removedCallbacks)
            + write(listeners: outcome.changes.listeners, removing: outcome.removedListeners)
            + write(schedules: Array(outcome.changes.schedules.values), removing: outcome.removedSchedules)
            + write(TimerChange.all(of: outcome, over: stored))
            + write(outcome.messages.values.sorted { $0.key < $1.key })
    }

    private static func write(_ promises: [PromiseRecord], over stored: PromiseRecords) -> [PostgresStatement] {
        var writes: [PostgresStatement] = []
        let new = promises.filter { stored.promises[$0.id] == nil }
        if !new.isEmpty {
            writes.append(
                statement(
                    """
                    INSERT INTO sluice.promise (id, state, param, value, tags, timeout_at, created_at, settled_at)
                    SELECT id, state, param::json, value::json, tags::jsonb, timeout_at, created_at, settled_at
                    FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::bigint[], $7::bigint[],
                        $8::bigint[]) u (id, state, param, value, tags, timeout_at, created_at, settled_at)
                    """,
                    [
                        new.map(\.id), new.map(\.state.rawValue), new.map { PromiseRows.json($0.param) },
                        new.map { PromiseRows.json($0.value) }, new.map { PromiseRows.json($0.tags) },
                        new.map { String($0.timeoutAt) }, new.map { String($0.createdAt) },
                        new.map { $0.settledAt.map { String($0) } },
                    ]
                )
            )
        }
        let old = promises.filter { stored.promises[$0.id] != nil }
        if !old.isEmpty {
            writes.append(
                exactly(
                    old.count,
                    """
                    UPDATE sluice.promise p SET state = u.state, value = u.value::json, settled_at = u.settled_at
                    FROM unnest($1::text[], $2::text[], $3::text[], $4::bigint[]) u (id, state, value, settled_at)
                    WHERE p.id = u.id AND p.state = 'pending'
                    """,
                    [
                        old.map(\.id), old.map(\.state.rawValue), old.map { PromiseRows.json($0.value) },
                        old.map { $0.settledAt.map { String($0) } },
                    ]
                )
            )
        }
        return writes
    }

    private static func write(
        _ tasks: [TaskRecord],
        over stored: PromiseRecords,
        _ changes: PromiseRecords
    ) -> [PostgresStatement] {
        func columns(_ tasks: [TaskRecord]) -> [[String?]] {
            [
                tasks.map(\.id), tasks.map(\.state.rawValue), tasks.map { String($0.version) },
                tasks.map { String($0.resumes) }, tasks.map { $0.ttl.map { String($0) } }, tasks.map(\.pid),
                tasks.map { $0.leaseExpiresAt.map { String($0) } }, tasks.map { String($0.dueAt ?? 0) },
                tasks.map { String($0.releases) }, tasks.map { String($0.offers) },
            ]
        }
        let types = """
            $1::text[], $2::text[], $3::bigint[], $4::integer[], $5::bigint[], $6::text[], $7::bigint[], $8::bigint[],
            $9::integer[], $10::integer[]
            """
        let names = "id, state, version, resumes, ttl, pid, lease_expires_at, due_at, releases, offers"
        var writes: [PostgresStatement] = []
        let new = tasks.filter { stored.tasks[$0.id] == nil }
        if !new.isEmpty {
            let targets = new.map { changes.promises[$0.id]?.tags[PromiseTag.target] ?? "" }
            writes.append(
                statement(
                    """
                    INSERT INTO sluice.task (\(names), target)
                    SELECT * FROM unnest(\(types), $11::text[]) u (\(names), target)
                    """,
                    columns(new) + [targets]
                )
            )
        }
        let old = tasks.compactMap { task in stored.tasks[task.id].map { (task, $0) } }
        if !old.isEmpty {
            writes.append(
                exactly(
                    old.count,
                    """
                    UPDATE sluice.task t SET state = u.state, version = u.version, resumes = u.resumes, ttl = u.ttl,
                        pid = u.pid, lease_expires_at = u.lease_expires_at, due_at = u.due_at, releases = u.releases,
                        offers = u.offers
                    FROM unnest(\(types), $11::text[], $12::bigint[])
                        u (\(names), state_before, version_before)
                    WHERE t.id = u.id AND t.state = u.state_before AND t.version = u.version_before
                    """,
                    columns(old.map(\.0)) + [old.map(\.1.state.rawValue), old.map { String($0.1.version) }]
                )
            )
        }
        return writes
    }

    private static func write(callbacks: Set<Callback>, removing removed: Set<Callback>) -> [PostgresStatement] {
        write(
            "callback", "awaiter", callbacks.map { ($0.awaited, $0.awaiter) }, removed.map { ($0.awaited, $0.awaiter) })
    }

    private static func write(listeners: Set<Listener>, removing removed: Set<Listener>) -> [PostgresStatement] {
        write(
            "listener", "address", listeners.map { ($0.awaited, $0.address) }, removed.map { ($0.awaited, $0.address) })
    }

    /// Of a table of who waits for what: its rows are keys, with `awaited` and one column more.
    private static func write(
        _ table: String,
        _ column: String,
        _ added: [(String, String)],
        _ removed: [(String, String)]
    ) -> [PostgresStatement] {
        var writes: [PostgresStatement] = []
        if !removed.isEmpty {
            writes.append(
                statement(
                    """
                    DELETE FROM sluice.\(table) w USING unnest($1::text[], $2::text[]) u (awaited, \(column))
                    WHERE w.awaited = u.awaited AND w.\(column) = u.\(column)
                    """,
                    [removed.map(\.0), removed.map(\.1)]
                )
            )
        }
        if !added.isEmpty {
            writes.append(
                statement(
                    """
                    INSERT INTO sluice.\(table) (awaited, \(column)) SELECT * FROM unnest($1::text[], $2::text[])
                    """,
                    [added.map(\.0), added.map(\.1)]
                )
            )
        }
        return writes
    }

    private static func write(schedules: [ScheduleRecord], removing removed: Set<String>) -> [PostgresStatement] {
        var writes: [PostgresStatement] = []
        if !removed.isEmpty {
            writes.append(statement("DELETE FROM sluice.schedule WHERE id = ANY ($1::text[])", [Array(removed)]))
        }
        if !schedules.isEmpty {
            writes.append(
                statement(
                    """
                    INSERT INTO sluice.schedule (\(PromiseRows.scheduleColumns))
                    SELECT id, cron, promise_id, promise_timeout, param::json, tags::jsonb, created_at, next_run_at,
                        last_run_at
                    FROM unnest($1::text[], $2::text[], $3::text[], $4::bigint[], $5::text[], $6::text[], $7::bigint[],
                        $8::bigint[], $9::bigint[])
                        u (id, cron, promise_id, promise_timeout, param, tags, created_at, next_run_at, last_run_at)
                    ON CONFLICT (id) DO UPDATE SET cron = excluded.cron, promise_id = excluded.promise_id,
                        promise_timeout = excluded.promise_timeout, promise_param = excluded.promise_param,
                        promise_tags = excluded.promise_tags, created_at = excluded.created_at,
                        next_run_at = excluded.next_run_at, last_run_at = excluded.last_run_at
                    """,
                    [
                        schedules.map(\.id), schedules.map(\.cron), schedules.map(\.promiseId),
                        schedules.map { String($0.promiseTimeout) },
                        schedules.map { PromiseRows.json($0.promiseParam) },
                        schedules.map { PromiseRows.json($0.promiseTags) }, schedules.map { String($0.createdAt) },
                        schedules.map { String($0.nextRunAt) }, schedules.map { $0.lastRunAt.map { String($0) } },
                    ]
                )
            )
        }
        return writes
    }

    private static func write(_ timers: [TimerChange]) -> [PostgresStatement] {
        var writes: [PostgresStatement] = []
        let removed = timers.filter { $0.at == nil }
        if !removed.isEmpty {
            writes.append(
                statement(
                    """
                    DELETE FROM sluice.timer t USING unnest($1::text[], $2::text[]) u (kind, id)
                    WHERE t.kind = u.kind AND t.id = u.id
                    """,
                    [removed.map(\.kind.rawValue), removed.map(\.id)]
                )
            )
        }
        let set = timers.filter { $0.at != nil }
        if !set.isEmpty {
            writes.append(
                statement(
                    """
                    INSERT INTO sluice.timer (kind, id, at)
                    SELECT * FROM unnest($1::text[], $2::text[], $3::bigint[])
                    ON CONFLICT (kind, id) DO UPDATE SET at = excluded.at
                    """,
                    [set.map(\.kind.rawValue), set.map(\.id), set.map { $0.at.map { String($0) } }]
                )
            )
        }
        return writes
    }

    /// A later message replaces an earlier one of its key, also one that is on its way: that is then sent twice. One that
    /// says the same keeps its place in the queue, or its pause where it was tried in vain.
    private static func write(_ messages: [OutgoingMessage]) -> [PostgresStatement] {
        guard !messages.isEmpty else { return [] }
        let versions = messages.map { message -> String? in
            if case .execute(let task, _) = message { String(task.version) } else { nil }
        }
        let isSame = "(m.version IS NOT DISTINCT FROM excluded.version AND m.address = excluded.address)"
        return [
            statement(
                """
                INSERT INTO sluice.message AS m (key, promise, version, address, channel)
                SELECT * FROM unnest($1::text[], $2::text[], $3::bigint[], $4::text[], $5::text[])
                ON CONFLICT (key) DO UPDATE SET version = excluded.version, address = excluded.address,
                    channel = excluded.channel, seq = excluded.seq, written_at = excluded.written_at,
                    taken_until = CASE WHEN \(isSame) THEN m.taken_until ELSE 0 END,
                    attempts = CASE WHEN \(isSame) THEN m.attempts ELSE 0 END
                WHERE NOT \(isSame) OR m.taken_until > 0
                """,
                [
                    messages.map(\.key), messages.map(\.promise), versions, messages.map(\.address),
                    messages.map { PromiseAddress($0.address)?.channel ?? "none" },
                ]
            ),
            statement("SELECT pg_notify('sluice_message', '')"),
        ]
    }
}
