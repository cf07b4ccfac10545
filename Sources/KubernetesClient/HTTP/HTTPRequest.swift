/// A request as it goes to libcurl.
struct HTTPRequest: Sendable {
    var method: String
    var url: String
    var headers: [(name: String, value: String)] = []
    var body: [UInt8]?
    /// What the whole exchange may take; nil for a stream.
    var total: Duration?
    /// How long a stream may stay silent.
    var idle: Duration?
    /// How much may arrive before it is taken: for a stream what waits, else the whole answer.
    var mostBytes = 256 << 20
}

/// An answer, whole.
struct HTTPResponse: Sendable {
    var status: Int
    /// Names in lower case; of repeated ones the last.
    var headers: [String: String]
    var body: [UInt8]
}
