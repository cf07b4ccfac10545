internal import JSON
internal import PostgreSQL

/// Records as rows of the store's tables.
enum PromiseRows {
    static let promiseColumns = "p.id, p.state, p.param, p.value, p.tags, p.timeout_at, p.created_at, p.settled_at"
    static let taskColumns = """
        t.state AS task_state, t.version, t.resumes, t.ttl, t.pid, t.lease_expires_at, t.due_at, t.releases,
        t.offers
        """
    static let scheduleColumns = """
        id, cron, promise_id, promise_timeout, promise_param, promise_tags, created_at, next_run_at, last_run_at
        """

    static func promise(_ row: PostgresRow) throws -> PromiseRecord {
        PromiseRecord(
            id: try row.text("id"),
            state: try state(row, "state"),
            param: try value(row, "param"),
            value: try value(row, "value"),
            tags: try tags(row, "tags"),
            timeoutAt: try row.integer("timeout_at"),
            createdAt: try row.integer("created_at"),
            settledAt: try integer(row, "settled_at")
        )
    }

    static func task(_ row: PostgresRow) throws -> TaskRecord {
        let state: TaskState = try state(row, "task_state")
        return TaskRecord(
            id: try row.text("id"),
            state: state,
            version: try row.integer("version"),
            resumes: Int(try row.integer("resumes")),
            ttl: try integer(row, "ttl"),
            pid: row["pid"],
            leaseExpiresAt: try integer(row, "lease_expires_at"),
            dueAt: state == .pending ? try row.integer("due_at") : nil,
            releases: Int(try row.integer("releases")),
            offers: Int(try row.integer("offers"))
        )
    }

    static func schedule(_ row: PostgresRow) throws -> ScheduleRecord {
        ScheduleRecord(
            id: try row.text("id"),
            cron: try row.text("cron"),
            promiseId: try row.text("promise_id"),
            promiseTimeout: try row.integer("promise_timeout"),
            promiseParam: try value(row, "promise_param"),
            promiseTags: try tags(row, "promise_tags"),
            createdAt: try row.integer("created_at"),
            nextRunAt: try row.integer("next_run_at"),
            lastRunAt: try integer(row, "last_run_at")
        )
    }

    static func json(_ value: PromiseValue) -> String {
        if value.isEmpty { return "{}" }
        var writer = JSONWriter()
        value.write(to: &writer)
        return writer.text
    }

    static func json(_ tags: [String: String]) -> String {
        if tags.isEmpty { return "{}" }
        var writer = JSONWriter()
        writer.dictionary(tags)
        return writer.text
    }

    // MARK: Columns

    private static func integer(_ row: PostgresRow, _ name: String) throws -> Int64? {
        row[name] == nil ? nil : try row.integer(name)
    }

    private static func state<State: RawRepresentable<String>>(_ row: PostgresRow, _ name: String) throws -> State {
        let text = try row.text(name)
        guard let state = State(rawValue: text) else {
            throw PromiseError(.incompatible, "a row of the store is in the unknown state \(text)")
        }
        return state
    }

    private static func value(_ row: PostgresRow, _ name: String) throws -> PromiseValue {
        let text = try row.text(name)
        if text == "{}" { return PromiseValue() }
        return try JSONReader.read(text.utf8) { (reader) throws(JSONReader.Flaw) in try PromiseValue(reading: &reader) }
    }

    private static func tags(_ row: PostgresRow, _ name: String) throws -> [String: String] {
        let text = try row.text(name)
        if text == "{}" { return [:] }
        return try JSONReader.read(text.utf8) { (reader) throws(JSONReader.Flaw) in try reader.dictionary() }
    }
}
