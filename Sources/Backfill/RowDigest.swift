internal import SchemaChange

/// Of a row that is compared, 64 bits over its key, its side, and the columns of both sides, as an SQL expression. XORed over
/// a range's rows they are the range's digest, in whatever order and in how many chunks the rows were read.
///
/// Tells images apart, and not only values: `1.0` from `1.00`. So a column is hashed by its type only where equal values are
/// the same bits; all others by their text, byte by byte. Not of a secret: it finds accidents, and no one who can choose the
/// values of many rows.
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
        let type = column.type.replacing(/\s*\([^()]*\)/, with: "").lowercased()
        if plain.contains(type) { return name }
        if strings.contains(type), column.collation == nil { return name }
        // As text it would lose the blanks at its end.
        if type == "bpchar" { return "bpcharsend(\(name))" }
        return "\(name)::text COLLATE \"C\""
    }

    /// Types of which no two values are equal that are not the same. No type of a user's has one of these names without its
    /// schema.
    private static let plain: Set<String> = [
        "smallint", "int2", "integer", "int", "int4", "bigint", "int8", "boolean", "bool", "uuid", "date", "bytea",
        "oid",
        "\"char\"", "name", "timestamp without time zone", "timestamp", "timestamp with time zone", "timestamptz",
        "time without time zone", "time",
    ]

    /// The same under a deterministic collation, which a database's own always is.
    private static let strings: Set<String> = ["text", "character varying", "varchar"]
}
