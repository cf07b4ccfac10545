/// The definition of a column as SQL writes it: its type and what follows.
struct ColumnText {
    let name: String
    /// In lower case, its modifier included: `varchar(20)`.
    let type: String
    private let rest: SQLReader

    /// - Parameter reader: stands behind the name.
    init(name: String, _ reader: SQLReader) {
        self.name = name
        let ends: Set<String> = [
            "not", "null", "default", "primary", "unique", "check", "references", "generated", "constraint", "collate",
            "compression", "storage", "as",
        ]
        var reader = reader
        var type = ""
        while let token = reader.next, !(token.kind == .word && ends.contains(token.text)) {
            if token.kind == .word || token.kind == .name, let last = type.last, last != "(", last != "." {
                type += " "
            }
            type += token.kind == .name ? token.text.quotedIdentifier : token.text
            reader.skip()
        }
        self.type = type
        rest = reader
    }

    var isNotNull: Bool { rest.containsOutside("not null") }
    var hasDefault: Bool { rest.containsOutside("default") }
    var isUnique: Bool { rest.containsOutside("unique") }
    var isPrimaryKey: Bool { rest.containsOutside("primary key") }
    var hasCheck: Bool { rest.containsOutside("check") }

    private var isSerial: Bool { TypeLint.isSerial(type) }
    private var isIdentity: Bool { rest.containsOutside("as identity") }
    private var isStored: Bool { rest.contains("generated always as") && !isIdentity && !rest.contains("virtual") }

    /// Functions that PostgreSQL computes anew for each row. Those of users are not known here; PostgreSQL is asked when
    /// a plan is made.
    private static let volatile: Set<String> = [
        "random", "gen_random_uuid", "uuid_generate_v4", "uuid_generate_v1", "uuidv7", "uuidv4", "clock_timestamp",
        "timeofday", "nextval", "gen_random_bytes", "gen_salt",
    ]

    private var isVolatile: Bool {
        var reader = rest
        while !reader.isAtEnd, !reader.accept("default") { reader.skip() }
        return zip(reader.rest, reader.rest.dropFirst()).contains { token, next in
            token.identifier.map(Self.volatile.contains) == true && next.isSign("(")
        }
    }

    /// For what the table would be rewritten if the column was added to it; nil where it would not.
    var rewriteReason: String? {
        if isSerial { return "a sequence (\(type))" }
        if isIdentity { return "an identity" }
        if isStored { return "a generated value" }
        return isVolatile ? "a default that is computed for each row" : nil
    }

    func typeRemarks(isKey: Bool) -> [(code: LintCode, message: String)] {
        TypeLint.remarks(column: name, type: type, isKey: isKey)
    }
}

/// What lint says of types, wherever they are written.
enum TypeLint {
    static func isSerial(_ type: String) -> Bool {
        ["serial", "bigserial", "smallserial", "serial4", "serial8", "serial2"].contains(type.lowercased())
    }

    static func remarks(column: String, type: String, isKey: Bool = false) -> [(code: LintCode, message: String)] {
        let type = type.lowercased().split(separator: " ").joined(separator: " ")
        var found: [(LintCode, String)] = []
        func isAny(_ names: String...) -> Bool {
            // With or without a modifier, or as an array.
            names.contains {
                type == $0 || type.hasPrefix("\($0)(") || type.hasPrefix("\($0) (") || type.hasPrefix("\($0)[")
            }
        }
        if isAny("char", "character", "bpchar") {
            found.append((.charType, "\(column) of type \(type) is padded with spaces"))
        }
        if isAny("varchar", "character varying"), type.contains("(") {
            found.append((.varcharLimit, "the limit of \(column) is part of its type"))
        }
        if isAny("json") { found.append((.jsonType, "\(column) of type json has no equality and keeps its text")) }
        if isAny("timestamp") || type.hasPrefix("timestamp without"), !type.contains("with time zone") {
            found.append((.timestampWithoutZone, "\(column) does not say in which zone it is"))
        }
        if isSerial(type) { found.append((.serialType, "\(column) is a \(type), whose sequence is a separate object")) }
        if isKey, isAny("int", "integer", "int4", "smallint", "int2", "serial", "serial4", "smallserial", "serial2") {
            found.append((.smallKey, "\(column) is a key of type \(type)"))
        }
        return found.map { (code: $0.0, message: $0.1) }
    }
}
