/// Keys and values in the order of the text. No key is there twice.
public struct YAMLMapping: Sendable, RandomAccessCollection {
    public struct Entry: Sendable {
        public var key: String
        /// Where the key stands.
        public var mark: YAMLMark
        public var value: YAMLValue
    }

    private let entries: [Entry]
    private let places: [String: Int]

    init(_ entries: [Entry]) {
        self.entries = entries
        places = Dictionary(entries.enumerated().map { ($1.key, $0) }, uniquingKeysWith: { first, _ in first })
    }

    public subscript(key: String) -> YAMLValue? {
        places[key].map { entries[$0].value }
    }

    public var startIndex: Int { 0 }
    public var endIndex: Int { entries.count }
    public subscript(position: Int) -> Entry { entries[position] }
}
