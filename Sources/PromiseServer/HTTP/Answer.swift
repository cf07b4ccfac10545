/// What is sent back, but for a stream.
struct Answer: Sendable, Hashable {
    static let json = "application/json"
    static let text = "text/plain; charset=utf-8"

    var status: Int
    var contentType: String
    var body: [UInt8]
    /// Another header, as `Name: value`.
    var header: String?
    /// Whether nothing more is read from the connection.
    var isLast = false

    init(_ status: Int, _ contentType: String, _ body: [UInt8], header: String? = nil, isLast: Bool = false) {
        self.status = status
        self.contentType = contentType
        self.body = body
        self.header = header
        self.isLast = isLast
    }

    /// A refusal that is not of the protocol, for it is about no envelope. `message` needs no escaping.
    init(_ status: Int, error message: String, header: String? = nil, isLast: Bool = false) {
        self.init(status, Self.json, Array(#"{"error":"\#(message)"}"#.utf8), header: header, isLast: isLast)
    }

    static func reason(_ status: Int) -> String {
        switch status {
        case 200: "OK"
        case 300: "Multiple Choices"
        case 400: "Bad Request"
        case 401: "Unauthorized"
        case 403: "Forbidden"
        case 404: "Not Found"
        case 405: "Method Not Allowed"
        case 408: "Request Timeout"
        case 409: "Conflict"
        case 410: "Gone"
        case 413: "Content Too Large"
        case 422: "Unprocessable Content"
        case 431: "Request Header Fields Too Large"
        case 500: "Internal Server Error"
        case 501: "Not Implemented"
        case 503: "Service Unavailable"
        default: "Status"
        }
    }
}
