/// Where a message goes.
///
/// - `poll://any@GROUP` to one member of a group, `poll://any@GROUP/ID` to that one if it is there;
/// - `poll://uni@GROUP/ID` to that process and no other;
/// - `http://…`, `https://…`: a server that takes it by POST.
///
/// It is part of keys, as an ``Identifier`` is, and has at most as many bytes.
public enum PromiseAddress: Sendable, Hashable {
    case any(group: String, preferred: String?)
    case one(group: String, id: String)
    case web(String)

    static let rule = """
        an address of at most \(Identifier.mostBytes) bytes, such as poll://any@group, poll://uni@group/id or \
        http://host/path
        """

    /// Nil for what is none of these.
    public init?(_ text: String) {
        guard text.utf8.count <= Identifier.mostBytes else { return nil }
        guard let scheme = text.firstRange(of: "://") else { return nil }
        let rest = text[scheme.upperBound...]
        guard !rest.utf8.contains(where: { $0 <= 0x20 || $0 == 0x7F }) else { return nil }
        switch text[..<scheme.lowerBound] {
        case "http", "https":
            guard let host = rest.first, host != "/" else { return nil }
            self = .web(text)
        case "poll":
            guard let at = rest.firstIndex(of: "@") else { return nil }
            let place = rest[rest.index(after: at)...]
            let slash = place.firstIndex(of: "/")
            let group = String(place[..<(slash ?? place.endIndex)])
            let id = slash.map { String(place[place.index(after: $0)...]) }
            guard !group.isEmpty, id != "" else { return nil }
            switch (rest[..<at], id) {
            case ("any", _): self = .any(group: group, preferred: id)
            case ("uni", let id?): self = .one(group: group, id: id)
            default: return nil
            }
        default: return nil
        }
    }

    /// The queue in which a message for it waits: what a server can serve is known by the queue's name.
    var channel: String {
        switch self {
        case .any(let group, _): "any@\(group)"
        case .one(let group, let id): "uni@\(group)/\(id)"
        case .web: "web"
        }
    }
}
