internal import Foundation
internal import PostgreSQL

/// Promises and tasks as rows of the store's tables.
struct PromiseRows {
    static let promiseColumns = "id, state, param, value, tags, timeout_at, created_at, settled_at"
    static let taskColumns = "id, state, version, resumes, ttl, pid, lease_expires_at"

    static func promise(_ row: PostgresRow) throws -> PromiseRecord {
        PromiseRecord(
            id: try row.text("id"),
            state: try state(row),
            param: try decode(row, "param"),
            value: try decode(row, "value"),
            tags: try decode(row, "tags"),
            timeoutAt: try row.integer("timeout_at"),
            createdAt: try row.integer("created_at"),
            settledAt: row["settled_at"] == nil ? nil : try row.integer("settled_at")
        )
    }

    static func task(_ row: PostgresRow) throws -> TaskRecord {
        TaskRecord(
            id: try row.text("id"),
            state: try state(row),
            version: try row.integer("version"),
            resumes: Int(try row.integer("resumes")),
            ttl: row["ttl"] == nil ? nil : try row.integer("ttl"),
            pid: row["pid"],
            leaseExpiresAt: row["lease_expires_at"] == nil ? nil : try row.integer("lease_expires_at")
        )
    }

    private static func state<State: RawRepresentable<String>>(_ row: PostgresRow) throws -> State {
        let text = try row.text("state")
        guard let state = State(rawValue: text) else {
            throw PromiseError(.incompatible, "a row of the store is in the unknown state \(text)")
        }
        return state
    }

    private static func decode<Value: Decodable>(_ row: PostgresRow, _ name: String) throws -> Value {
        try JSONDecoder().decode(Value.self, from: Data(try row.text(name).utf8))
    }

    private static func encode(_ value: some Encodable) throws -> PostgresValue {
        .text(String(decoding: try JSONEncoder().encode(value), as: UTF8.self))
    }

    // MARK: Writing

    /// Adds the promise; affects no row when somebody else added one of that id since it was looked for.
    static func insert(_ promise: PromiseRecord) throws -> PostgresStatement {
        PostgresStatement(
            """
            INSERT INTO sluice.promise (id, state, param, value, tags, timeout_at, created_at, settled_at)
                VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (id) DO NOTHING
            """,
            [
                .text(promise.id), .text(promise.state.rawValue), try encode(promise.param),
                try encode(promise.value), try encode(promise.tags), .integer(promise.timeoutAt),
                .integer(promise.createdAt), .optional(promise.settledAt),
            ]
        )
    }

    static func update(_ promise: PromiseRecord) throws -> PostgresStatement {
        PostgresStatement(
            "UPDATE sluice.promise SET state = $2, value = $3, settled_at = $4 WHERE id = $1",
            [
                .text(promise.id), .text(promise.state.rawValue), try encode(promise.value),
                .optional(promise.settledAt),
            ]
        )
    }

    static func insert(_ task: TaskRecord, of promise: PromiseRecord) -> PostgresStatement {
        PostgresStatement(
            """
            INSERT INTO sluice.task (id, state, version, resumes, ttl, pid, lease_expires_at, target, due_at)
                VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT (id) DO NOTHING
            """,
            values(task) + [
                .text(promise.tags[PromiseTag.target] ?? ""),
                .integer(promise.tags[PromiseTag.delay].flatMap { Int64($0) } ?? promise.createdAt),
            ]
        )
    }

    static func update(_ task: TaskRecord) -> PostgresStatement {
        PostgresStatement(
            """
            UPDATE sluice.task SET state = $2, version = $3, resumes = $4, ttl = $5, pid = $6, lease_expires_at = $7
                WHERE id = $1
            """,
            values(task)
        )
    }

    private static func values(_ task: TaskRecord) -> [PostgresValue] {
        [
            .text(task.id), .text(task.state.rawValue), .integer(task.version), .integer(Int64(task.resumes)),
            .optional(task.ttl), .optional(task.pid), .optional(task.leaseExpiresAt),
        ]
    }
}
