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

    static let limits: ClosedRange<Int64> = 1...1000
}
