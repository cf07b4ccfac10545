/// What a promise was made with, or settled with. The data means nothing to the store.
public struct PromiseValue: Sendable, Hashable, Codable {
    public var headers: [String: String]?
    public var data: String?

    public init(headers: [String: String]? = nil, data: String? = nil) {
        self.headers = headers
        self.data = data
    }
}
