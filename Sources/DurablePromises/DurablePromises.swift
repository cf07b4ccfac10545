public import PostgreSQL
public struct TaskClaim: Sendable { public init() {} }
public struct PromiseStore: Sendable {
    public init(pool: PostgresPool) {}
    public static var schemaStatements: [String] { [] }
}
