/// Why there is no answer to a request. A status that says no is an answer.
public struct HTTPError: Error, Sendable, Hashable, CustomStringConvertible {
    public struct Code: Hashable, Sendable, CustomStringConvertible {
        public let description: String

        /// Nothing listens at the server's address.
        public static let refused = Code(description: "refused")
        /// The server could not be reached, or the connection broke: before or after the request was sent.
        public static let connection = Code(description: "connection")
        /// No answer came in time.
        public static let timeout = Code(description: "timeout")
        /// The server's certificate, or ours, was not accepted.
        public static let certificate = Code(description: "certificate")
        /// The task that asked was cancelled.
        public static let cancelled = Code(description: "cancelled")
    }

    public var code: Code
    public var message: String
    /// Whether some of the request was sent, so that nobody knows whether the server did what it asks.
    public var mayHaveArrived: Bool

    init(_ code: Code, _ message: String, mayHaveArrived: Bool = true) {
        self.code = code
        self.message = message
        self.mayHaveArrived = mayHaveArrived
    }

    public var description: String { message }

    static let cancelled = HTTPError(.cancelled, "the request was cancelled")
}
