internal import SchemaChange

/// Of a row that is compared, 64 bits over its key, its side, and the columns of both sides, as an SQL expression. XORed over
/// a range's rows they are the range's digest, in whatever order and in how many chunks the rows were read.
///
/// Tells images apart, and not only values: `1.0` from `1.00`. So a column is hashed by its type only where equal values are
/// the same bits (``Column/equality``); all others by their text, byte by byte. Not of a secret: it finds accidents, and no one
/// who can choose the values of many rows.
enum RowDigest {
    static func of(_ mapping: Mapping) -> String {
        let columns = (mapping.key + mapping.old + mapping.inputs + mapping.new).map { value($0, $0.stored) }
        return hash([mapping.marker.quotedIdentifier] + columns)
    }

    /// - Parameters:
    ///   - from: the alias of a row of the move's table.
    ///   - to: that of the row which stands for it in the other.
    static func of(_ move: ColumnMove, from: String, to: String) -> String {
        let keys = move.walkKey.map { value($0, "\(from).\($0.quoted)") }
        let pairs = move.columns.flatMap {
            [value($0.from, "\(from).\($0.from.quoted)"), value($0.to, "\(to).\($0.to.quoted)")]
        }
        return hash(keys + pairs)
    }

    /// The digest of all rows of a query that names each one's `digest`. Never NULL.
    static let combined = "coalesce(bit_xor(digest), 0)"

    /// Each value once.
    private static func hash(_ values: [String]) -> String {
        var seen: Set<String> = []
        return "hash_record_extended(ROW(\(values.filter { seen.insert($0).inserted }.joined(separator: ", "))), 0)"
    }

    private static func value(_ column: Column, _ name: String) -> String {
        if column.equality != .other { return name }
        // As text it would lose the blanks at its end.
        return column.type.lowercased() == "bpchar" ? "bpcharsend(\(name))" : "\(name)::text COLLATE \"C\""
    }
}
