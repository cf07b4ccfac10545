/// The data of `promise.create`.
public struct PromiseCreation: Sendable, Hashable {
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
    func flaw(_ rules: PromiseRules) -> String? {
        if !Identifier.isValid(id) { return "a promise's id \(Identifier.rule)" }
        if timeoutAt < 0 { return "a promise's timeoutAt is not negative" }
        if param?.containsNUL ?? false { return "a promise's param contains no NUL" }
        guard let tags, !tags.isEmpty else { return nil }
        if tags.contains(where: { $0.key.utf8.contains(0) || $0.value.utf8.contains(0) }) {
            return "a promise's tags contain no NUL"
        }
        if let target = tags[PromiseTag.target], PromiseAddress(target) == nil {
            return "\(PromiseTag.target) is \(PromiseAddress.rule)"
        }
        if let delay = tags[PromiseTag.delay] {
            guard let time = Int64(delay), time >= 0, time < timeoutAt, tags[PromiseTag.target] != nil else {
                return "\(PromiseTag.delay) needs a target, and a time before timeoutAt"
            }
        }
        if rules.isStrict, tags[PromiseTag.timer] == "true", tags[PromiseTag.target] != nil {
            return "a timer has no target"
        }
        for tag in [PromiseTag.origin, PromiseTag.prefix] where tags[tag]?.contains(":") == true {
            return "\(tag) contains no colon"
        }
        for tag in [PromiseTag.origin, PromiseTag.branch, PromiseTag.parent] {
            if let ancestor = tags[tag], !Lineage.descends(id, from: ancestor) {
                return "\(tag) is the promise's id or the beginning of it"
            }
        }
        return nil
    }
}
