import SchemaChange
import TestSupport

/// A table at random: its key, columns, indexes, constraints and references.
struct FuzzTable: Sendable {
    static let rows = 60
    private static let names = [
        "a", "Größe", "select", "it's", "q\"uote", "with space", "naïve", "日本", "UPPER", "x.y", "dollar$$",
        "back\\slash",
        "percent%s", "e\u{301}clair", String(repeating: "long", count: 15),
    ]

    let name: String
    let key: [(definition: String, name: String, value: String)]
    let columns: [FuzzColumn]
    /// Columns that refer to another table's rows.
    let references: Set<String>
    private let parts: [String]
    private let after: [String]

    init(_ random: inout SplitMix) {
        name = ["things", "Order", "user", "tab'le", "Ünï\"", "two words"].randomElement(using: &random)!
        let table = name.quotedIdentifier
        switch Int.random(in: 0..<4, using: &random) {
        case 0: key = [("bigint", "id", "i * 3")]
        case 1: key = [("uuid", "Key", "md5(i::text)::uuid")]
        case 2: key = [("int", "k 1", "i / 10"), ("text", "k'2", "'t' || i % 10")]
        default: key = [("int", "id", "i - 30")]
        }
        var names = Self.names.shuffled(using: &random)[...]
        var columns: [FuzzColumn] = []
        for _ in 0..<Int.random(in: 4...7, using: &random) {
            columns.append(
                FuzzColumn(
                    name: names.removeFirst(), type: FuzzType.allCases.randomElement(using: &random)!,
                    isNullable: Bool.random(using: &random), hasDefault: Int.random(in: 0..<3, using: &random) == 0,
                    requirement: Bool.random(using: &random) ? "needs '\(names.count)" : nil))
        }
        var parts: [String] = []
        var after: [String] = []
        var references: Set<String> = []
        for (index, column) in columns.enumerated() {
            switch Int.random(in: 0..<9, using: &random) {
            case 0 where column.type.isIndexable:
                after.append(
                    "CREATE INDEX \("\(name) by \(index)".quotedIdentifier) ON \(table) (\(column.quoted) DESC)")
            case 1 where column.type.isUnique:
                parts.append("CONSTRAINT \("one \(index)".quotedIdentifier) UNIQUE (\(column.quoted))")
            case 2 where column.type.isUnique:
                after.append(
                    "CREATE UNIQUE INDEX \("u%\(index)".quotedIdentifier) ON \(table) (\(column.quoted)) "
                        + "WHERE \(column.quoted) IS NOT NULL")
            case 3 where column.type == .text || column.type == .varchar:
                after.append("CREATE INDEX ON \(table) (lower(\(column.quoted)))")
            case 4 where column.type.isIndexable:
                parts.append("CHECK (\(column.quoted) IS NULL OR \(column.quoted) = \(column.quoted))")
            case 5:
                after.append("COMMENT ON COLUMN \(table).\(column.quoted) IS 'it''s \(index)'")
            case 6 where column.type == .int || column.type == .bigint:
                references.insert(column.name)
                after.append(
                    "ALTER TABLE \(table) ADD CONSTRAINT \("parent \(index)".quotedIdentifier) "
                        + "FOREIGN KEY (\(column.quoted)) REFERENCES parents (id) ON DELETE CASCADE")
            case 7 where column.type.isIndexable:
                let other = columns.first { $0.type.isIndexable && $0.name != column.name } ?? column
                after.append(
                    "CREATE INDEX ON \(table) (\(column.quoted)\(other.name == column.name ? "" : ", " + other.quoted))"
                )
            default: break
            }
        }
        self.columns = columns
        self.parts = parts
        self.after = after
        self.references = references
    }

    var quotedKey: String { key.map(\.name.quotedIdentifier).joined(separator: ", ") }

    /// Types that it uses, which any schema may share.
    static let types = """
        CREATE TYPE public."Mood" AS ENUM ('sad', 'it''s ok');
        CREATE DOMAIN public.positive AS integer CHECK (VALUE > 0);
        """

    /// Makes it in the schema that the search path names first, filled.
    var setUp: String {
        let table = name.quotedIdentifier
        let definitions =
            key.map { "\($0.name.quotedIdentifier) \($0.definition)" } + columns.map(\.definition)
            + ["PRIMARY KEY (\(quotedKey))"] + parts
        let values = key.map(\.value) + columns.map(\.value)
        return """
            CREATE TABLE parents (id bigint PRIMARY KEY);
            INSERT INTO parents SELECT i - 7 FROM generate_series(1, \(Self.rows)) i;
            CREATE TABLE \(table) (\(definitions.joined(separator: ", ")));
            INSERT INTO \(table) SELECT \(values.joined(separator: ", ")) FROM generate_series(1, \(Self.rows)) i;
            \(after.map { $0 + ";" }.joined(separator: "\n"))
            """
    }
}
