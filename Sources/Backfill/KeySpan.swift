/// The rows of a table after one key, up to and with another: each as text, a part for each column of the key.
public struct KeySpan: Hashable, Sendable {
    /// Nil for the table's start.
    public let after: [String]?
    /// Nil for its end.
    public let upTo: [String]?

    public init(after: [String]?, upTo: [String]?) {
        self.after = after
        self.upTo = upTo
    }

    public static let all = KeySpan(after: nil, upTo: nil)

    /// Whether they follow one another from the table's start to its end, and leave nothing out, in whatever order they are
    /// given.
    public static func areWhole(_ spans: [KeySpan]) -> Bool {
        var left = Dictionary(grouping: spans, by: \.after)
        var place: [String]?
        while let next = left.removeValue(forKey: place) {
            guard next.count == 1 else { return false }
            guard let upTo = next[0].upTo else { return left.isEmpty }
            place = upTo
        }
        return false
    }
}
