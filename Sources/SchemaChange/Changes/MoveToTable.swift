/// Moves columns to another table, which has a row for each of theirs, found through a key.
///
/// Its invariant: of each row of `table`, the columns and those of its row in `to` hold the same; where it has no row there,
/// all of them are NULL. Contract renames the old columns into the archive.
///
/// Undoing it drops the new columns; the old ones hold what either version wrote last.
public struct MoveToTable: Codable, Hashable, Sendable, ChangeKind {
    public struct MovedColumn: Codable, Hashable, Sendable {
        public var name: String
        /// What it is called in the other table; the same, unless it is given.
        public var to: String?

        public init(name: String, to: String? = nil) {
            self.name = name
            self.to = to
        }

        var newName: String { to ?? name }
    }

    public var table: String
    public var columns: [MovedColumn]
    /// The table to which they go: it exists, or an earlier createTable of the same Migration makes it.
    public var to: String
    /// Columns of `table` by which a row of `to` is found, each with the column of `to` that holds the same. Unique and not
    /// NULL in both; a foreign key of `to` refers to them, and deletes with them.
    public var key: [String: String]

    public init(table: String, columns: [MovedColumn], to: String, key: [String: String]) {
        self.table = table
        self.columns = columns
        self.to = to
        self.key = key
    }

    var tables: [String] { [table, to] }

    func flaws(at path: String) -> [PlanError] {
        var flaws: [PlanError] = []
        func flaw(_ field: String, _ message: String) {
            flaws.append(PlanError(.invalidChange, at: "\(path).\(field)", message))
        }
        if columns.isEmpty { flaw("columns", "name at least one") }
        if key.isEmpty {
            flaw("key", "name at least one column of \(table), and the column of \(to) that holds the same")
        }
        if table == to { flaw("to", "it is the same table; to rename a column use renameColumn") }
        var old: Set<String> = []
        var new: Set<String> = []
        for (index, column) in columns.enumerated() {
            if !old.insert(column.name).inserted { flaw("columns[\(index)].name", "\"\(column.name)\" is named twice") }
            if !new.insert(column.newName).inserted {
                flaw("columns[\(index)].to", "\"\(column.newName)\" is named twice")
            }
            if let wrong = column.newName.flawAsColumnName { flaw("columns[\(index)].to", wrong) }
            if key[column.name] != nil { flaw("columns[\(index)].name", "\"\(column.name)\" is part of the key") }
        }
        if Set(key.values).count < key.count { flaw("key", "two columns stand for the same one of \(to)") }
        return flaws
    }

    /// In the order of their names.
    var keyPairs: [(from: String, to: String)] { key.sorted { $0.key < $1.key }.map { ($0.key, $0.value) } }

    /// PostgreSQL says whether the key's columns are of one type: that of a table which is made may be written in any way.
    func trials(at path: String, in catalog: Catalog) throws(PlanError) -> [Trial] {
        let source = try catalog.table(table, at: path)
        let target = try catalog.tableByThen(to, at: path)
        let copy = try catalog.copy(to, as: Trial.scratch, at: path)
        var trials: [Trial] = []
        for (from, to) in keyPairs {
            _ = try catalog.column(from, of: source, at: "\(path).key")
            _ = try catalog.column(to, of: target, at: "\(path).key.\(from)")
            func type(_ relation: String, _ column: String) -> String {
                """
                (SELECT ROW(atttypid, atttypmod, attcollation) FROM pg_attribute \
                WHERE attrelid = \(relation.quotedLiteral)::regclass AND attname = \(column.quotedLiteral))
                """
            }
            let message = "\(from) of \(source.name) and \(to) of \(target.name) are not of one type; make them so"
            let body = """
                BEGIN
                IF \(type(source.name.quoted, from)) <> \(type(Trial.scratch, to)) THEN
                    RAISE EXCEPTION USING MESSAGE = \(message.quotedLiteral);
                END IF;
                END
                """
            trials.append(Trial(path: "\(path).key.\(from)", setUp: copy, statement: "DO \(body.quotedLiteral)"))
        }
        return trials
    }

    func plan(into builder: inout PlanBuilder, at path: String) throws(PlanError) {
        let catalog = builder.catalog
        let source = try catalog.table(table, at: path)
        let target = try catalog.tableByThen(to, at: "\(path).to")
        let made = try maker(in: builder, at: path)
        try requireWritable(source, target, in: builder, at: path)
        try requireLink(source, target, made, at: path)

        var pairs: [ColumnMove.Pair] = []
        for (index, column) in columns.enumerated() {
            let place = "\(path).columns[\(index)]"
            let present = try catalog.column(column.name, of: source, at: "\(place).name")
            try requireMovable(present, of: source, at: place)
            if let found = catalog.present(to) { try catalog.requireFree(column.newName, in: found, at: "\(place).to") }
            if made?.columns.contains(where: { $0.name == column.newName }) == true {
                throw PlanError(
                    .columnExists, at: "\(place).to",
                    "\(target.name) is made with a column \"\(column.newName)\"; leave one out")
            }
            try builder.claim(column.name, of: source, at: path)
            try builder.leaves(column.name, of: source, at: path)
            try builder.claim(column.newName, of: target, at: path)
            if present.notNull {
                builder.addNullable(
                    .expand, present, of: source, archived: Mapping.archivedName(token: builder.token, index: index),
                    source: "\(column.newName) of \(target.name)")
            }
            let new = Column(
                name: column.newName, type: present.type, baseType: present.baseType, collation: present.collation)
            pairs.append(.init(from: present.asColumn, to: new))
        }
        var key: [ColumnMove.Pair] = []
        for (from, to) in keyPairs {
            let old = try catalog.column(from, of: source, at: "\(path).key")
            let new = try catalog.column(to, of: target, at: "\(path).key.\(from)")
            key.append(.init(from: old.asColumn, to: new.asColumn))
        }
        try builder.reads(key.map(\.from.name) + source.key, of: source, at: path)
        try builder.reads(key.map(\.to.name), of: target, at: path)
        builder.addMove(
            ColumnMove(
                table: source.name, to: target.name, token: builder.token, columns: pairs, key: key,
                walkKey: source.key.compactMap { source.column($0)?.asColumn }, isToFound: made == nil,
                settings: columns.flatMap { settings(of: $0, in: source, on: target.name) }))
        for column in columns { builder.knows(source, column.name, until: builder.id(.contract, "archive")) }
    }

    /// What the new column gets of the old one. Who may read or write all of a table is that table's own.
    private func settings(
        of column: MovedColumn, in source: TableDescription, on target: TableName
    ) -> [String] {
        let place = "\(target.quoted).\(column.newName.quotedIdentifier)"
        let comment = source.column(column.name)?.comment.map { "COMMENT ON COLUMN \(place) IS \($0.quotedLiteral)" }
        let grants = source.grants.filter { $0.column == column.name }
        return (comment.map { [$0] } ?? []) + grants.map { $0.statement(on: target, column: column.newName) }
    }
}
