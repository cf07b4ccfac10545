/// Values told apart bit by bit, as SQL: `1.0` is not `1.00`, and `json` has no `=` at all.
///
/// `record_image_ne` does that for every type, and makes two records of each row for it. Where equal values are the same bits it
/// costs a third to compare them by themselves.
enum RowImage {
    /// A condition, never NULL: whether one of the `present` is other than the `derived` in its place.
    ///
    /// - Parameters:
    ///   - columns: what type the values are of, the derived ones by a cast.
    static func differs(_ columns: [Column], present: [String], derived: [String]) -> String {
        var distinct: [String] = []
        var images: [(present: String, derived: String)] = []
        for (column, (present, derived)) in zip(columns, zip(present, derived)) {
            switch column.equality {
            case .ofBits: distinct.append("\(present) IS DISTINCT FROM \(derived)")
            // An expression may bring a collation of its own, under which other letters are the same.
            case .ofBytes: distinct.append("\(present) IS DISTINCT FROM \(derived) COLLATE \"C\"")
            case .other: images.append((present, derived))
            }
        }
        if !images.isEmpty {
            let (left, right) = (images.map(\.present), images.map(\.derived))
            distinct.append(
                "record_image_ne(ROW(\(left.joined(separator: ", "))), ROW(\(right.joined(separator: ", "))))")
        }
        return "(\(distinct.joined(separator: " OR ")))"
    }
}

extension Column {
    /// What two values are that PostgreSQL holds for equal.
    public enum Equality: Sendable {
        /// The same bits, always.
        case ofBits
        /// Of a string under the collation of its type: the same bytes under it, as under `"C"`.
        case ofBytes
        /// Maybe others: `1.0` and `1.00`, `-0` and `0`, two cases of a letter.
        case other
    }

    public var equality: Equality {
        let type = type.replacing(/\s*\([^()]*\)/, with: "").lowercased()
        if Self.plain.contains(type) { return .ofBits }
        return Self.strings.contains(type) && collation == nil ? .ofBytes : .other
    }

    /// No type of a user's has one of these names without its schema.
    private static let plain: Set<String> = [
        "smallint", "int2", "integer", "int", "int4", "bigint", "int8", "boolean", "bool", "uuid", "date", "bytea",
        "oid", "\"char\"", "timestamp without time zone", "timestamp", "timestamp with time zone", "timestamptz",
        "time without time zone", "time",
    ]

    /// A type's own collation is a database's own, or `"C"`: always a deterministic one.
    private static let strings: Set<String> = ["text", "character varying", "varchar", "name"]
}
