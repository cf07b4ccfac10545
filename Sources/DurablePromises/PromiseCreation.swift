/// The data of `promise.create`.
public struct PromiseCreation: Sendable, Hashable, Codable {
    public var id: String
    public var timeoutAt: Int64
    public var param: PromiseValue?
    public var tags: [String: String]?

    public init(id: String, timeoutAt: Int64, param: PromiseValue? = nil, tags: [String: String]? = nil) {
        self.id = id
        self.timeoutAt = timeoutAt
        self.param = param
        self.tags = tags
    }

    /// The rule that it breaks, if any.
    var flaw: String? {
        if id.isEmpty || id.utf8.contains(0) { return "a promise's id is not empty and contains no NUL" }
        if timeoutAt < 0 { return "a promise's timeoutAt is not negative" }
        let tags = tags ?? [:]
        if tags.contains(where: { $0.key.utf8.contains(0) || $0.value.utf8.contains(0) }) {
            return "a promise's tags contain no NUL"
        }
        if let target = tags[PromiseTag.target], !target.contains("://") {
            return "\(PromiseTag.target) is an address such as poll://any@default"
        }
        if let delay = tags[PromiseTag.delay] {
            guard let time = Int64(delay), time >= 0, time < timeoutAt, tags[PromiseTag.target] != nil else {
                return "\(PromiseTag.delay) needs a target, and a time before timeoutAt"
            }
        }
        for tag in [PromiseTag.origin, PromiseTag.prefix] where tags[tag]?.contains(":") == true {
            return "\(tag) contains no colon"
        }
        for tag in [PromiseTag.origin, PromiseTag.branch, PromiseTag.parent] {
            guard let ancestor = tags[tag] else { continue }
            // Older clients separate by a point.
            if id != ancestor && !id.hasPrefix(ancestor + ":") && !id.hasPrefix(ancestor + ".") {
                return "\(tag) is the promise's id or the beginning of it"
            }
        }
        return nil
    }
}
