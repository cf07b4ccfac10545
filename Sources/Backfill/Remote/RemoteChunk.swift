internal import Foundation
internal import SchemaChange

/// What a worker is asked about, as JSON: `{"table": …, "columns": […], "rows": [{"key": […], "old": {…}}, …]}`. The text
/// itself is kept and given back to PostgreSQL, which wrote the rows: so a value is what it was, to the last bit.
struct RemoteChunk {
    let text: String
    /// The keys of its rows, each as text.
    let keys: [[String]]

    init?(_ text: String) {
        struct Shape: Decodable {
            struct Row: Decodable {
                let key: [Part]
            }
            let rows: [Row]
        }
        guard let shape = try? JSONDecoder().decode(Shape.self, from: Data(text.utf8)) else { return nil }
        self.text = text
        keys = shape.rows.map { $0.key.map(\.text) }
    }

    /// Of a key: text, a whole number or a truth value.
    private struct Part: Decodable {
        let text: String

        init(from decoder: any Decoder) throws {
            let container = try decoder.singleValueContainer()
            if let text = try? container.decode(String.self) {
                self.text = text
            } else if let number = try? container.decode(Int64.self) {
                text = String(number)
            } else {
                text = String(try container.decode(Bool.self))
            }
        }
    }

    /// `rows` as PostgreSQL wrote them.
    static func argument(of mapping: Mapping, rows: String) -> String {
        let columns = mapping.new.map { json($0.name) }.joined(separator: ",")
        return #"{"table":\#(json(mapping.table.description)),"columns":[\#(columns)],"rows":\#(rows)}"#
    }

    private static func json(_ text: String) -> String {
        // Encoding text cannot fail.
        String(decoding: try! JSONEncoder().encode(text), as: UTF8.self)
    }

    var keyRange: String {
        func name(_ key: [String]?) -> String { "(\((key ?? []).joined(separator: ", ")))" }
        return keys.count > 1 ? "\(name(keys.first)) to \(name(keys.last))" : name(keys.first)
    }

    /// What is wrong with the shape of an answer: a list with an object for each row, and in that a value for each new
    /// column and no other. Nil when it is sound. What the values mean, PostgreSQL is asked.
    func flaw(inAnswer json: String, for mapping: Mapping) -> String? {
        guard let answer = try? JSONSerialization.jsonObject(with: Data(json.utf8), options: .fragmentsAllowed),
            let rows = answer as? [Any]
        else { return "it is not a list" }
        guard rows.count == keys.count else {
            return "it has \(rows.count) rows, and \(keys.count) were asked for; answer one for each, in the same order"
        }
        let names = Set(mapping.new.map(\.name))
        for (key, row) in zip(keys, rows) {
            let place = "the row for key (\(key.joined(separator: ", ")))"
            guard let row = row as? [String: Any] else { return "\(place) is not an object of columns" }
            if let missing = mapping.new.first(where: { row[$0.name] == nil }) {
                return "\(place) has no \"\(missing.name)\"; give null where it shall be NULL"
            }
            if row.keys.contains(where: { !names.contains($0) }) {
                return "\(place) names a column that is not one of \(mapping.new.map(\.name).joined(separator: ", "))"
            }
            if let null = mapping.notNull.first(where: { row[$0] is NSNull }) {
                return "\(place) has null for \"\(null)\", which is nullable: false"
            }
        }
        return nil
    }
}
