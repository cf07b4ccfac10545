import SchemaChange

/// An expression over a row, looked at as text: what it plainly is, and whether it can be part of a proof.
///
/// PostgreSQL has the last word when the Migration is planned; this finds what would be refused then, while the
/// file that is imported can still be named.
struct SQLExpression: Sendable {
    /// Why its value is not a function of the row alone.
    enum Obstacle: Hashable, Sendable {
        /// Another value within one statement.
        case volatile(String)
        /// Another value in another transaction or session.
        case stable(String)
        case subquery

        /// What it does, to follow "it".
        var reason: String {
            switch self {
            case .volatile(let name): "calls \(name), which answers something else each time"
            case .stable(let name): "calls \(name), whose answer depends on the time, the session or its settings"
            case .subquery: "reads a table"
            }
        }
    }

    let text: String
    private let tokens: [SQLToken]

    /// `SELECT x`, which pgroll allows for `x`, is `x`.
    init(_ text: String) throws(Refusal) {
        let source = try SQLText(text)
        let unwrapped = Self.unwrapped(source.tokens[...])
        tokens = Array(unwrapped)
        self.text = source.text(of: unwrapped)
        guard !tokens.isEmpty else { throw Refusal("an expression is empty") }
        if tokens.contains(where: { $0.isSign(";") }) { throw Refusal("an expression holds a semicolon") }
    }

    private static func unwrapped(_ tokens: ArraySlice<SQLToken>) -> ArraySlice<SQLToken> {
        guard tokens.first?.word == "select" else { return tokens }
        let rest = tokens.dropFirst()
        let clauses: Set<String> = [
            "from", "where", "group", "having", "order", "limit", "offset", "fetch", "union", "intersect", "except",
            "window", "for", "distinct", "all", "as",
        ]
        var depth = 0
        for token in rest {
            if token.isSign("(") { depth += 1 }
            if token.isSign(")") { depth -= 1 }
            guard depth == 0 else { continue }
            if token.isSign(",") || token.word.map(clauses.contains) == true { return tokens }
        }
        return rest.isEmpty ? tokens : rest
    }

    /// The column that it is, if it is nothing but one.
    var column: String? {
        switch tokens.count {
        case 1:
            if let word = tokens[0].word, Self.constants.contains(word) || Self.keywords[word] != nil { return nil }
            return tokens[0].identifier
        case 3 where tokens[1].isSign(".") && tokens[0].identifier != nil: return tokens[2].identifier
        default: return nil
        }
    }

    private static let constants: Set<String> = ["null", "true", "false", "default"]

    /// Nil where nothing is known against it.
    var obstacle: Obstacle? {
        if tokens.contains(where: { $0.word == "select" || $0.word == "table" }) { return .subquery }
        var stable: Obstacle?
        for (index, token) in tokens.enumerated() {
            guard let word = token.word else { continue }
            if let keyword = Self.keywords[word] {
                stable = stable ?? .stable(keyword)
            } else if index + 1 < tokens.count, tokens[index + 1].isSign("(") {
                if Self.volatile.contains(word) { return .volatile("\(word)()") }
                if Self.stable.contains(word) { stable = stable ?? .stable("\(word)()") }
            }
        }
        return stable
    }

    /// Which of `names` it mentions.
    func mentions(of names: some Sequence<String>) -> [String] {
        let mentioned = Set(tokens.compactMap(\.identifier))
        return names.filter(mentioned.contains)
    }

    /// Functions without parentheses.
    private static let keywords: [String: String] = Dictionary(
        uniqueKeysWithValues: [
            "current_date", "current_time", "current_timestamp", "localtime", "localtimestamp", "current_user",
            "session_user", "current_role", "current_catalog", "current_schema", "user",
        ].map { ($0, $0.uppercased()) })

    /// Of PostgreSQL and its well-known extensions, `provolatile = 'v'`.
    private static let volatile: Set<String> = [
        "random", "random_normal", "setseed", "clock_timestamp", "timeofday", "gen_random_uuid", "uuidv4", "uuidv7",
        "uuid_generate_v1", "uuid_generate_v1mc", "uuid_generate_v4", "nextval", "currval", "lastval", "setval",
        "gen_random_bytes", "gen_salt", "pg_sleep", "txid_current", "pg_current_xact_id", "set_config",
    ]

    /// `provolatile = 's'`, whatever the types of their arguments are.
    private static let stable: Set<String> = [
        "now", "transaction_timestamp", "statement_timestamp", "current_setting", "to_char", "to_date", "to_timestamp",
        "concat", "concat_ws", "format", "array_to_string", "to_json", "to_jsonb", "row_to_json", "array_to_json",
        "json_build_object", "json_build_array", "jsonb_build_object", "jsonb_build_array", "quote_nullable",
        "pg_backend_pid", "inet_client_addr", "inet_server_addr", "version", "has_table_privilege",
        "txid_current_snapshot", "pg_typeof",
    ]
}

extension String {
    /// As an SQL name, quoted only where it has to be: for expressions that people read.
    var sqlName: String {
        let isPlain =
            utf8.allSatisfy("abcdefghijklmnopqrstuvwxyz0123456789_".utf8.contains)
            && (utf8.first.map("abcdefghijklmnopqrstuvwxyz_".utf8.contains) ?? false)
        return isPlain && !Self.reserved.contains(self) ? self : quotedIdentifier
    }

    /// <https://www.postgresql.org/docs/15/sql-keywords-appendix.html>: what cannot name a column as it stands.
    private static let reserved: Set<String> = Set(
        """
        all analyse analyze and any array as asc asymmetric authorization between bigint binary bit boolean both case \
        cast char character check coalesce collate collation column concurrently constraint create cross \
        current_catalog current_date current_role current_schema current_time current_timestamp current_user dec \
        decimal default deferrable desc distinct do else end except exists extract false fetch float for foreign freeze \
        from full grant greatest group grouping having ilike in initially inner inout int integer intersect interval \
        into is isnull join lateral leading least left like limit localtime localtimestamp national natural nchar none \
        normalize not notnull null nullif numeric offset on only or order out outer overlaps overlay placing position \
        precision primary real references returning right row select session_user setof similar smallint some \
        substring symmetric system_user table tablesample then time timestamp to trailing treat trim true union unique \
        user using values varchar variadic verbose when where window with xmlattributes xmlconcat xmlelement \
        xmlexists xmlforest xmlnamespaces xmlparse xmlpi xmlroot xmlserialize xmltable
        """.split(separator: " ").map(String.init))
}
