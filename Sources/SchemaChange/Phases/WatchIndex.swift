/// Finds the few rows that a worker has still to be asked about, without a look at all the others.
///
/// It is built when the first pass is over: until then every row would be in it. It goes with the marker column.
struct UnfilledIndex {
    let mapping: Mapping

    private var name: String { "sluice_unfilled_\(mapping.token)" }
    private var qualified: String { mapping.table.schema.quotedIdentifier + "." + name.quotedIdentifier }

    /// Outside of a transaction. One that a killed worker left unfinished is dropped first.
    var create: [String] {
        let key = mapping.key.map(\.quoted).joined(separator: ", ")
        return drop + [
            """
            CREATE INDEX CONCURRENTLY \(name.quotedIdentifier) ON \(mapping.table.quoted) (\(key)) \
            WHERE \(mapping.marker.quotedIdentifier) IS NULL
            """
        ]
    }

    var drop: [String] { ["DROP INDEX CONCURRENTLY IF EXISTS \(qualified)"] }
}
