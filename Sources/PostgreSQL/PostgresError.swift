/// Why something asked of PostgreSQL failed.
///
/// Its description is for people: what failed and the SQLSTATE. It holds no password, and no ``detail``, which may quote
/// the values of a row.
public struct PostgresError: Error, Sendable, Equatable, CustomStringConvertible {
    /// The kind of failure; more may come.
    public struct Code: Sendable, Hashable, CustomStringConvertible {
        public let description: String

        /// No connection could be made, or the one in use was lost. Whether a running statement took effect is unknown.
        public static let connection = Code(description: "connection")
        /// A server is there and does not let us in, however often it is asked: a password that is wrong or missing, no such
        /// database, no right to connect.
        public static let refused = Code(description: "refused")
        /// The connection's URL or settings are not acceptable.
        public static let configuration = Code(description: "configuration")
        /// The server refused a statement; the connection goes on.
        public static let server = Code(description: "server")
        /// The task was cancelled, and the statement with it.
        public static let cancelled = Code(description: "cancelled")
        /// The connection or the pool was closed on this side.
        public static let closed = Code(description: "closed")
        /// What came back, or was to be sent, is not of the shape that was expected.
        public static let protocolViolation = Code(description: "protocolViolation")
        /// No connection could be made in time.
        public static let timeout = Code(description: "timeout")
        /// The statement was not run, because one before it in its pipeline failed.
        public static let skipped = Code(description: "skipped")
    }

    public var code: Code
    public var message: String
    /// The five characters of Appendix A of PostgreSQL's manual, when the server gave them.
    public var sqlState: String?
    /// The server's second line. May quote the values of a row.
    public var detail: String?
    public var hint: String?
    /// Where in stored code the error arose, innermost first, one line each.
    public var context: String?
    /// The character of the statement, counted from 1, that the error is about.
    public var position: Int?
    public var schema: String?
    public var table: String?
    public var column: String?
    public var constraint: String?

    public init(_ code: Code, _ message: String, sqlState: String? = nil) {
        self.code = code
        self.message = message
        self.sqlState = sqlState
    }

    public var description: String {
        sqlState.map { "\(message) (SQLSTATE \($0))" } ?? message
    }

    /// Whether the same may succeed when it is tried again later: a lost connection, a server that starts or stops, a
    /// deadlock, a serialization failure, a lock that was not to be had, no room for another connection.
    public var isTransient: Bool {
        if let sqlState {
            return sqlState.hasPrefix("08") || sqlState.hasPrefix("53") || sqlState.hasPrefix("57P0")
                || isLostRace
        }
        return code == .connection || code == .timeout
    }

    /// Whether another session was in the way: a lock that was not to be had in time, a deadlock, a serialization failure.
    public var isLostRace: Bool {
        ["55P03", "40P01", "40001"].contains(sqlState)
    }

    static let cancelled = PostgresError(.cancelled, "the statement was cancelled", sqlState: nil)
    static let closed = PostgresError(.closed, "the connection is closed")
}
