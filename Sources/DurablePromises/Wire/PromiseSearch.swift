/// The data of a search: what to find, and from where on.
public struct PromiseSearch: Sendable, Hashable {
    /// The word for a state; nil for every one.
    public var state: String?
    /// Tags that a record must have, perhaps among others.
    public var tags: [String: String]
    /// How many records a page has at the most, 1 to 1000.
    public var limit: Int64?
    /// The last id of the page before.
    public var cursor: String?

    public init(state: String? = nil, tags: [String: String] = [:], limit: Int64? = nil, cursor: String? = nil) {
        self.state = state
        self.tags = tags
        self.limit = limit
        self.cursor = cursor
    }

    /// The rule that it breaks, if any.
    ///
    /// - Parameter states: the words that there are for a state; nil when what is searched has none.
    func flaw(states: [String]?) -> String? {
        if let limit, !(1...1000).contains(limit) { return "a page has from 1 to 1000 records" }
        if let state {
            guard let states else { return "a schedule has no state" }
            guard states.contains(state) else { return "state is one of \(states.joined(separator: ", "))" }
        }
        let texts = tags.flatMap { [$0.key, $0.value] } + [cursor ?? ""]
        return texts.contains { $0.utf8.contains(0) } ? "tags and cursor contain no NUL" : nil
    }
}
