/// A request as it goes to libcurl.
public struct HTTPRequest: Sendable {
    public var method: String
    public var url: String
    public var headers: [(name: String, value: String)]
    public var body: [UInt8]?
    /// What the whole exchange may take; nil for a stream.
    public var total: Duration?
    /// How long a stream may stay silent.
    public var idle: Duration?
    /// How much may arrive before it is taken: for a stream what waits, else the whole answer.
    public var mostBytes = 256 << 20
    /// Whether a server may get it twice: what it does the second time changes nothing. Then it is sent again when a
    /// connection that was used before ends without an answer. As its method says (RFC 9110, section 9.2.2), unless set.
    public var isIdempotent: Bool

    public init(
        method: String,
        url: String,
        headers: [(name: String, value: String)] = [],
        body: [UInt8]? = nil,
        total: Duration? = nil,
        idle: Duration? = nil
    ) {
        self.method = method
        self.url = url
        self.headers = headers
        self.body = body
        self.total = total
        self.idle = idle
        isIdempotent = !["POST", "PATCH", "CONNECT"].contains(method)
    }

    /// What it is, for a message: without the parts of a URL that may be secret, which are user, password, query and fragment.
    public var name: String {
        let start = url.firstRange(of: "://")?.upperBound ?? url.startIndex
        var place = url[start...].prefix { $0 != "?" && $0 != "#" }
        if let at = place.prefix(while: { $0 != "/" }).lastIndex(of: "@") { place = place[place.index(after: at)...] }
        return "\(method) \(url[..<start])\(place)"
    }
}

/// An answer, whole.
public struct HTTPResponse: Sendable {
    public var status: Int
    /// Names in lower case; of repeated ones the last.
    public var headers: [String: String]
    public var body: [UInt8]

    public init(status: Int, headers: [String: String], body: [UInt8]) {
        self.status = status
        self.headers = headers
        self.body = body
    }
}
