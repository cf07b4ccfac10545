/// One request in the protocol's envelope.
public struct Request: Sendable, Hashable {
    /// The protocol's version that this program speaks.
    public static let currentVersion = "2026-04-01"

    public struct Head: Sendable, Hashable {
        /// Echoed in the response.
        public var corrId: String
        public var version: String
        /// A token that says who asks: never shown.
        public var auth: String?
        /// What time it shall be for this request, in milliseconds since 1970. For a server in debug mode only.
        public var debugTime: Int64?

        public init(
            corrId: String = "0",
            version: String = Request.currentVersion,
            auth: String? = nil,
            debugTime: Int64? = nil
        ) {
            self.corrId = corrId
            self.version = version
            self.auth = auth
            self.debugTime = debugTime
        }
    }

    public var head: Head
    public var operation: PromiseOperation

    /// What is wrong with the version that it names, if anything.
    var versionFlaw: String? {
        head.version == Self.currentVersion ? nil : "the protocol's version is \(Self.currentVersion)"
    }

    public init(_ operation: PromiseOperation, head: Head = Head()) {
        self.head = head
        self.operation = operation
    }
}
