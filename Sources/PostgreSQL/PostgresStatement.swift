/// A statement with its parameters, `$1`, `$2` and so on.
public struct PostgresStatement: Sendable, Hashable {
    public var sql: String
    public var parameters: [PostgresValue]
    /// Whether a session parses the text once and keeps it. For a small number of different texts that are run often.
    public var isPrepared: Bool

    public init(_ sql: String, _ parameters: [PostgresValue] = [], isPrepared: Bool = false) {
        self.sql = sql
        self.parameters = parameters
        self.isPrepared = isPrepared
    }
}
