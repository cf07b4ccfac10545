/// Finds the few rows that somebody has still to see to, without a look at all the others: those that a worker is to be
/// asked about, or of which the application wrote one side alone.
///
/// It is built when the first pass is over: until then every row would be in it. It goes with the marker column.
struct WatchIndex {
    private let mapping: Mapping
    private let condition: String

    /// Nil for a mapping of which no row has to be watched.
    init?(_ mapping: Mapping) {
        guard let condition = mapping.watched else { return nil }
        self.mapping = mapping
        self.condition = condition
    }

    /// What the rows are, in one word and in a few.
    var word: String { mapping.isWrittenByApplication ? "disagreeing" : "unfilled" }
    var meaning: String { mapping.isWrittenByApplication ? "not written on both sides" : "not filled" }

    var index: ConcurrentIndex {
        let key = mapping.key.map(\.quoted).joined(separator: ", ")
        return ConcurrentIndex(
            table: mapping.table, builtAs: "sluice_\(word)_\(mapping.token)",
            definition: "USING btree (\(key)) WHERE \(condition)")
    }
}
