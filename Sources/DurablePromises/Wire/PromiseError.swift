/// Why the promise store did not do what it was asked.
public struct PromiseError: Error, Sendable, Hashable, CustomStringConvertible {
    /// The kind of refusal; more may come.
    public struct Code: Sendable, Hashable, CustomStringConvertible {
        public let description: String

        /// The request breaks a rule whatever is stored (400).
        public static let malformed = Code(description: "malformed")
        /// There is no such promise or task (404).
        public static let notFound = Code(description: "notFound")
        /// Somebody else holds the task, or its version or state is another: the lease is lost (409).
        public static let conflict = Code(description: "conflict")
        /// The request makes no sense for what is stored (422).
        public static let unprocessable = Code(description: "unprocessable")
        /// Who asks may not (401, 403).
        public static let forbidden = Code(description: "forbidden")
        /// The store cannot be asked now, or failed (5xx): the request may be repeated.
        public static let unavailable = Code(description: "unavailable")
        /// The store speaks another version, or answered what it should not have.
        public static let incompatible = Code(description: "incompatible")
    }

    public var code: Code
    public var message: String

    public init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }

    /// The refusal in a response whose status is not 200.
    init(status: Int, _ message: String) {
        let code: Code =
            switch status {
            case 400: .malformed
            case 401, 403: .forbidden
            case 404: .notFound
            case 409: .conflict
            case 422: .unprocessable
            case 500, 502...: .unavailable
            default: .incompatible
            }
        self.init(code, message)
    }

    public var description: String { message }
}
