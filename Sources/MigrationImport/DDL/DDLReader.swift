import SchemaChange

/// Reads statements of SQL's data definition language into a ``MigrationDraft``.
///
/// It knows what it takes over, and refuses the rest: a statement that is half understood would be a change that nobody
/// asked for.
struct DDLReader {
    var draft: MigrationDraft
    /// The schema that a name may have before it.
    let schema: String

    init(_ draft: MigrationDraft, schema: String) {
        self.draft = draft
        self.schema = schema
    }

    static let hint =
        "write it by hand as a change of kind sql, with what undoes it: "
        + "sql: {tables: […], expand: […], rollback: […]} (README, Kinds of change)"

    mutating func read(_ statement: SQLStatement) throws(Refusal) {
        var cursor = TokenCursor(statement)
        if cursor.accept("create") {
            try readCreate(&cursor)
        } else if cursor.accept("alter") {
            try readAlter(&cursor)
        } else if cursor.accept("drop") {
            try readDrop(&cursor)
        } else if cursor.accept("comment", "on") {
            try readComment(&cursor)
        } else if cursor.isAt(anyOf: ["begin", "commit", "start", "end"]) {
            draft.note(
                "the file's own transaction is left out: each step has one of its own, and what was done is undone by going "
                    + "back to Initial.")
            return
        } else {
            throw unknown(statement.tokens)
        }
        try cursor.expectEnd()
    }

    private mutating func readCreate(_ cursor: inout TokenCursor) throws(Refusal) {
        if cursor.accept("table") {
            try createTable(&cursor)
        } else if cursor.accept("unique", "index") {
            try createIndex(&cursor, isUnique: true)
        } else if cursor.accept("index") {
            try createIndex(&cursor, isUnique: false)
        } else {
            throw unknown(cursor.rest, after: "CREATE")
        }
    }

    private mutating func readAlter(_ cursor: inout TokenCursor) throws(Refusal) {
        if cursor.accept("table") {
            try alterTable(&cursor)
        } else if cursor.accept("type") {
            try alterType(&cursor)
        } else {
            throw unknown(cursor.rest, after: "ALTER")
        }
    }

    private mutating func readDrop(_ cursor: inout TokenCursor) throws(Refusal) {
        if cursor.accept("table") {
            try dropTables(&cursor)
        } else if cursor.accept("index") {
            try dropIndexes(&cursor)
        } else {
            throw unknown(cursor.rest, after: "DROP")
        }
    }

    func unknown(_ tokens: ArraySlice<SQLToken>, after word: String = "") -> Refusal {
        let words = tokens.prefix { $0.word != nil }.prefix(3).compactMap { $0.word?.uppercased() }
        let what = ([word] + words).filter { !$0.isEmpty }.joined(separator: " ")
        return Refusal(
            "\(what.isEmpty ? "this" : what) is not taken over; \(Self.hint)", at: tokens.first?.range.lowerBound)
    }

    // MARK: Names

    /// A table, or another object of the schema, by its plain name.
    func object(_ cursor: inout TokenCursor) throws(Refusal) -> String {
        let offset = cursor.offset
        let (named, name) = try cursor.qualifiedName()
        guard named == nil || named == schema else {
            throw Refusal(
                "\(named ?? "").\(name) is of another schema than \(schema); a Migration is about one schema, give --schema",
                at: offset)
        }
        return name
    }

    /// `IF EXISTS` and `IF NOT EXISTS` have nothing to decide here: a Migration knows what it has done.
    mutating func skipExistence(_ cursor: inout TokenCursor) {
        if cursor.accept("if", "not", "exists") {
            draft.note("IF NOT EXISTS is left out: what is there already is refused when the Migration is planned.")
        } else if cursor.accept("if", "exists") {
            draft.note("IF EXISTS is left out: what is not there is refused when the Migration is planned.")
        }
    }

    func skipBehaviour(_ cursor: inout TokenCursor) throws(Refusal) {
        if cursor.isAt("cascade") {
            throw cursor.refusal(
                "CASCADE would take away what nobody has named; drop what depends on it before, by name")
        }
        _ = cursor.accept("restrict")
    }
}
