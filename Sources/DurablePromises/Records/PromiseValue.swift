/// What a promise was made with, or settled with. The data means nothing to the store.
public struct PromiseValue: Sendable, Hashable {
    public var headers: [String: String]?
    public var data: String?

    public init(headers: [String: String]? = nil, data: String? = nil) {
        self.headers = headers
        self.data = data
    }

    /// PostgreSQL's text cannot have one.
    var containsNUL: Bool {
        data?.utf8.contains(0) ?? false
            || headers?.contains { $0.key.utf8.contains(0) || $0.value.utf8.contains(0) } ?? false
    }

    public var isEmpty: Bool { headers == nil && data == nil }
}
