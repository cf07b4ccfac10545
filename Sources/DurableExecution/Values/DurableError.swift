/// Why an execution cannot go on, or has no result, though no step of it failed.
public struct DurableError: Error, Sendable, Hashable, CustomStringConvertible {
    public struct Code: Sendable, Hashable, CustomStringConvertible {
        public let description: String

        /// The function does not ask for the steps that were recorded.
        public static let nonDeterminism = Code(description: "nonDeterminism")
        /// It was not settled before its deadline.
        public static let timedOut = Code(description: "timedOut")
        /// Somebody cancelled it.
        public static let canceled = Code(description: "canceled")
        /// A value that was recorded or sent is not of the type that is asked for.
        public static let undecodable = Code(description: "undecodable")
        /// No function of that name and version is registered.
        public static let unknownFunction = Code(description: "unknownFunction")
        /// The id is that of an execution of another function.
        public static let idTaken = Code(description: "idTaken")
        /// There is no promise of that id.
        public static let notFound = Code(description: "notFound")
        /// A context was used inside one of its own steps.
        public static let nestedUse = Code(description: "nestedUse")
        /// An id, or something else that was given, breaks a rule.
        public static let invalid = Code(description: "invalid")
    }

    public var code: Code
    public var message: String

    public init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }

    public var description: String { message }
}
