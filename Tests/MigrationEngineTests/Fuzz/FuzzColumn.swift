import SchemaChange
import TestSupport

/// A type of column, with what can be said of any column of it.
enum FuzzType: CaseIterable, Sendable {
    case text, varchar, int, bigint, numeric, boolean, date, timestamp, uuid, json, list, double, bytes, mood, positive

    /// As a catalog names it.
    var sql: String {
        switch self {
        case .text: "text"
        case .varchar: "character varying(40)"
        case .int: "integer"
        case .bigint: "bigint"
        case .numeric: "numeric(12,2)"
        case .boolean: "boolean"
        case .date: "date"
        case .timestamp: "timestamp with time zone"
        case .uuid: "uuid"
        case .json: "json"
        case .list: "text[]"
        case .double: "double precision"
        case .bytes: "bytea"
        case .mood: "public.\"Mood\""
        case .positive: "public.positive"
        }
    }

    /// A value for row `i`: another one for each.
    var value: String {
        switch self {
        case .text:
            "CASE WHEN i % 11 = 0 THEN '' ELSE 'Täxt ' || i END || CASE WHEN i % 11 = 0 THEN repeat('\"', i) ELSE '' END"
        case .varchar: "'v' || i"
        case .int, .bigint, .numeric, .double: "i - 7"
        case .boolean: "i % 3 = 0"
        case .date: "date '2020-02-29' + i"
        case .timestamp: "timestamptz '2020-02-29 12:00+02' + i * interval '1 hour'"
        case .uuid: "md5(i::text)::uuid"
        case .json: "('{\"a\": ' || i || '.0, \"a\": null}')::json"
        case .list: "ARRAY['x' || i, NULL, '{,\"']"
        case .bytes: "decode(md5(i::text), 'hex')"
        case .mood: "(CASE i % 3 WHEN 0 THEN 'sad' ELSE 'it''s ok' END)::public.\"Mood\""
        case .positive: "i"
        }
    }

    /// A default, as a catalog might have it.
    var defaultValue: String {
        switch self {
        case .text, .varchar: "'none'"
        case .int, .bigint, .numeric, .double, .positive: "42"
        case .boolean: "true"
        case .date: "'2021-01-01'"
        case .timestamp: "'2021-01-01 00:00+00'"
        case .uuid: "'00000000-0000-0000-0000-000000000001'"
        case .json: "'{}'"
        case .list: "'{a}'"
        case .bytes: "'\\x00'"
        case .mood: "'sad'"
        }
    }

    /// Whether each row has another value of it, and values can be compared.
    var isUnique: Bool { ![.boolean, .json, .mood].contains(self) }
    var isIndexable: Bool { self != .json }

    /// Types that values can be cast to and back without loss.
    var wider: [String] {
        switch self {
        case .text: ["character varying(200)"]
        case .varchar: ["text", "character varying(80)"]
        case .int: ["bigint", "numeric", "text"]
        case .bigint: ["numeric", "text"]
        case .numeric: ["numeric", "text"]
        case .date: ["timestamp without time zone"]
        case .uuid: ["text"]
        case .json: ["text"]
        case .positive: ["bigint"]
        default: []
        }
    }

    /// A function of a column and its inverse, both immutable.
    func turned(_ column: String) -> (forward: String, backward: String)? {
        switch self {
        case .text, .varchar: ("reverse(\(column))", "reverse(\(column))")
        case .int, .bigint, .numeric: ("\(column) + 1000", "\(column) - 1000")
        case .boolean: ("NOT \(column)", "NOT \(column)")
        case .list: ("array_append(\(column), 'new')", "array_remove(\(column), 'new')")
        case .mood, .positive, .uuid, .json, .bytes: (column, column)
        default: nil
        }
    }
}

struct FuzzColumn: Sendable {
    let name: String
    let type: FuzzType
    let isNullable: Bool
    let hasDefault: Bool
    /// A name for NOT NULL, which PostgreSQL keeps since 18.
    var requirement: String?

    var quoted: String { name.quotedIdentifier }

    var definition: String {
        "\(quoted) \(type.sql)"
            + (isNullable ? "" : (requirement.map { " CONSTRAINT \($0.quotedIdentifier)" } ?? "") + " NOT NULL")
            + (hasDefault ? " DEFAULT \(type.defaultValue)" : "")
    }

    var value: String { isNullable ? "CASE WHEN i % 5 <> 2 THEN \(type.value) END" : type.value }
}
