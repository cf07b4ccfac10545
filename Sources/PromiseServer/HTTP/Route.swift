/// What a request line asks for.
enum Route: Hashable {
    case envelope
    case poll(group: String, id: String)
    case ready
    case health
    case metrics
    /// What older servers served.
    case gone
    case wrongMethod(allowed: String)
    case unknown

    init(method: String, uri: String) {
        if uri == "/" {
            self = method == "POST" ? .envelope : .wrongMethod(allowed: "POST")
            return
        }
        let path = uri.prefix { $0 != "?" && $0 != "#" }
        let segments = path.split(separator: "/", omittingEmptySubsequences: false).dropFirst()
        switch segments.first {
        case "": self = method == "POST" ? .envelope : .wrongMethod(allowed: "POST")
        case "poll" where segments.count == 3:
            let names = segments.dropFirst().map(Self.decoded)
            guard let group = names[0], let id = names[1], !group.isEmpty, !id.isEmpty else {
                self = .unknown
                return
            }
            self = method == "GET" ? .poll(group: group, id: id) : .wrongMethod(allowed: "GET")
        case "ready" where segments.count == 1: self = Self.reading(method, .ready)
        case "health" where segments.count == 1: self = Self.reading(method, .health)
        case "metrics" where segments.count == 1: self = Self.reading(method, .metrics)
        case "promises", "tasks", "schedules": self = .gone
        default: self = .unknown
        }
    }

    private static func reading(_ method: String, _ route: Route) -> Route {
        method == "GET" || method == "HEAD" ? route : .wrongMethod(allowed: "GET, HEAD")
    }

    /// A segment without its percent signs; nil when it is not UTF-8 then, or badly encoded.
    private static func decoded(_ segment: Substring) -> String? {
        guard segment.contains("%") else { return String(segment) }
        var bytes: [UInt8] = []
        var rest = segment.utf8[...]
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "%") else {
                bytes.append(byte)
                continue
            }
            guard rest.count >= 2, let digits = String(rest.prefix(2)), let value = UInt8(digits, radix: 16) else {
                return nil
            }
            bytes.append(value)
            rest = rest.dropFirst(2)
        }
        return String(validating: bytes, as: UTF8.self)
    }
}
