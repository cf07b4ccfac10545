/// A part of a table's rows: those after one key, up to and with another; or those of the pages of one file from one on, up to
/// another without it.
public struct RowSpan: Hashable, Sendable {
    /// Whose pages they are; nil for keys.
    public let file: HeapFile?
    /// A text for each of the key's columns, or the number of the first page; nil for the beginning.
    public let after: [String]?
    /// The same of its end; nil for the table's, or the file's, however long it will be.
    public let upTo: [String]?

    public init(file: HeapFile? = nil, after: [String]?, upTo: [String]?) {
        self.file = file
        self.after = after
        self.upTo = upTo
    }

    public static let all = RowSpan(after: nil, upTo: nil)

    /// Whether they are of keys, or of files each of them, and follow one another from the beginning to the end and leave nothing
    /// out, in whatever order they are given.
    public static func areWhole(_ spans: [RowSpan]) -> Bool {
        let byFile = Dictionary(grouping: spans, by: \.file)
        return !spans.isEmpty && (byFile[nil] == nil || byFile.count == 1) && byFile.values.allSatisfy(isChain)
    }

    private static func isChain(_ spans: [RowSpan]) -> Bool {
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
