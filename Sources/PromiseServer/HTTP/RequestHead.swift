internal import NIOHTTP1

/// What of a request's head matters here.
struct RequestHead {
    let route: Route
    let isHEAD: Bool
    let isKeptAlive: Bool
    /// Whether the client knows chunks: it speaks HTTP/1.1.
    let takesChunks: Bool
    /// Whether the client waits to be asked for the body.
    let awaitsContinue: Bool
    /// How long the body is, where that is said beforehand.
    let bodyBytes: Int?
    let bearer: String?
    let host: String?

    init(_ head: HTTPRequestHead) {
        route = Route(method: head.method.rawValue, uri: head.uri)
        isHEAD = head.method == .HEAD
        isKeptAlive = head.isKeepAlive
        takesChunks = head.version.major > 1 || head.version.major == 1 && head.version.minor >= 1
        var bodyBytes: Int?
        var awaitsContinue = false
        var bearer: String?
        var host: String?
        for (name, value) in head.headers {
            switch name.utf8.count {
            case 4 where name.lowercased() == "host": host = value
            case 6 where name.lowercased() == "expect": awaitsContinue = value.lowercased() == "100-continue"
            case 13 where name.lowercased() == "authorization":
                if value.prefix(7).lowercased() == "bearer " {
                    bearer = String(value.dropFirst(7).drop { $0 == " " })
                }
            case 14 where name.lowercased() == "content-length": bodyBytes = Int(value)
            default: break
            }
        }
        self.bodyBytes = bodyBytes
        self.awaitsContinue = awaitsContinue
        self.bearer = bearer
        self.host = host
    }
}
