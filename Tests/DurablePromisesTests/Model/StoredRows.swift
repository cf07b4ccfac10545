import PostgreSQL

@testable import DurablePromises

/// All that a store keeps, as text in the order of its keys: of a database, or as the model has it.
struct StoredRows: Equatable {
    /// By table.
    var rows: [String: [String]]

    /// What is in a database.
    init(_ pool: PostgresPool) async throws {
        let queries = [
            "promise": "SELECT \(PromiseRows.promiseColumns) FROM sluice.promise p",
            "task": "SELECT t.id, \(PromiseRows.taskColumns), t.target FROM sluice.task t",
            "callback": "SELECT awaited, awaiter FROM sluice.callback",
            "listener": "SELECT awaited, address FROM sluice.listener",
            "schedule": "SELECT \(PromiseRows.scheduleColumns) FROM sluice.schedule",
            "timer": "SELECT kind, id, at FROM sluice.timer",
            "message": "SELECT key, promise, version, address, channel FROM sluice.message",
        ]
        var rows: [String: [String]] = [:]
        for (table, query) in queries {
            let result = try await pool.withConnection { try await $0.query(query) }
            rows[table] = try result.rows.map { row in
                switch table {
                case "promise": "\(Self.text(try PromiseRows.promise(row)))"
                case "task": "\(try PromiseRows.task(row)) \(try row.text("target"))"
                case "schedule": "\(Self.text(try PromiseRows.schedule(row)))"
                default: Self.columns(table).map { row[$0] ?? "-" }.joined(separator: "|")
                }
            }.sorted()
        }
        self.rows = rows
    }

    /// What the model has.
    init(_ model: ModelPromises) {
        let records = model.records
        var timers: [String] = []
        for promise in records.promises.values where promise.state == .pending && promise.isExternal {
            timers.append("promise|\(promise.id)|\(promise.timeoutAt)")
        }
        for task in records.tasks.values {
            if let time = task.state == .pending ? task.dueAt : task.leaseExpiresAt {
                timers.append("task|\(task.id)|\(time)")
            }
        }
        for schedule in records.schedules.values { timers.append("schedule|\(schedule.id)|\(schedule.nextRunAt)") }
        rows = [
            "promise": records.promises.values.map { Self.text($0) },
            "task": records.tasks.values.map { "\($0) \(records.promises[$0.id]?.tags[PromiseTag.target] ?? "-")" },
            "callback": records.callbacks.map { "\($0.awaited)|\($0.awaiter)" },
            "listener": records.listeners.map { "\($0.awaited)|\($0.address)" },
            "schedule": records.schedules.values.map { Self.text($0) },
            "timer": timers,
            "message": model.messages.values.map { message in
                let version = if case .execute(let task, _) = message { "\(task.version)" } else { "-" }
                let channel = PromiseAddress(message.address)?.channel ?? "none"
                return "\(message.key)|\(message.promise)|\(version)|\(message.address)|\(channel)"
            },
        ].mapValues { $0.sorted() }
    }

    /// Where every column is compared as it is.
    private static func columns(_ table: String) -> [String] {
        switch table {
        case "callback": ["awaited", "awaiter"]
        case "listener": ["awaited", "address"]
        case "timer": ["kind", "id", "at"]
        default: ["key", "promise", "version", "address", "channel"]
        }
    }

    private static func text(_ promise: PromiseRecord) -> String {
        var writer = JSONWriter()
        promise.write(to: &writer)
        return writer.text
    }

    private static func text(_ schedule: ScheduleRecord) -> String {
        var writer = JSONWriter()
        schedule.write(to: &writer)
        return writer.text
    }

    /// What one of two has and the other has not; nil when they are the same.
    func difference(from other: StoredRows) -> String? {
        var lines: [String] = []
        for table in rows.keys.sorted() {
            let (mine, others) = (Set(rows[table] ?? []), Set(other.rows[table] ?? []))
            lines += mine.subtracting(others).sorted().map { "\(table): stored, and not expected: \($0)" }
            lines += others.subtracting(mine).sorted().map { "\(table): expected, and not stored: \($0)" }
            if mine == others, rows[table]?.count != other.rows[table]?.count {
                lines.append("\(table): rows are there twice")
            }
        }
        return lines.isEmpty ? nil : lines.joined(separator: "\n")
    }
}
