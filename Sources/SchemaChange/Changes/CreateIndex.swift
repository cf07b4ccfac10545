/// Builds an index, at Backfill, when what it indexes is filled, and while others write.
///
/// Undoing it drops the index, concurrently as well.
public struct CreateIndex: Codable, Hashable, Sendable, ChangeKind {
    public struct Element: Codable, Hashable, Sendable {
        public enum Order: String, SpecWord, Sendable {
            case ascending = "Ascending"
            case descending = "Descending"
        }

        public enum Nulls: String, SpecWord, Sendable {
            case first = "First"
            case last = "Last"
        }

        public var column: String?
        /// An immutable SQL expression over the row.
        public var expression: String?
        public var order: Order?
        public var nulls: Nulls?
        /// An operator class as SQL writes it, with its parameters if it has any.
        public var opclass: String?
        /// A collation by its name.
        public var collation: String?

        public init(
            column: String? = nil, expression: String? = nil, order: Order? = nil, nulls: Nulls? = nil,
            opclass: String? = nil, collation: String? = nil
        ) {
            self.column = column
            self.expression = expression
            self.order = order
            self.nulls = nulls
            self.opclass = opclass
            self.collation = collation
        }

        /// What is indexed.
        var value: String { column?.quotedIdentifier ?? "(\(expression!))" }

        var clause: String {
            var clause = value
            if let collation { clause += " COLLATE \(collation.quotedIdentifier)" }
            if let opclass { clause += " \(opclass)" }
            if order == .descending { clause += " DESC" }
            switch nulls {
            case .first: clause += " NULLS FIRST"
            case .last: clause += " NULLS LAST"
            case nil: break
            }
            return clause
        }
    }

    public var table: String
    /// Left out, it is made of the table and the columns, as PostgreSQL would.
    public var name: String?
    public var columns: [Element]
    public var unique: Bool?
    /// `btree` unless it is given.
    public var method: String?
    /// Columns that are in the index and not part of its key.
    public var include: [String]?
    /// An immutable SQL condition: only rows of which it is true are in the index.
    public var `where`: String?
    /// Storage parameters.
    public var with: [String: String]?

    public init(
        table: String, name: String? = nil, columns: [Element], unique: Bool? = nil, method: String? = nil,
        include: [String]? = nil, where: String? = nil, with: [String: String]? = nil
    ) {
        self.table = table
        self.name = name
        self.columns = columns
        self.unique = unique
        self.method = method
        self.include = include
        self.where = `where`
        self.with = with
    }

    var tables: [String] { [table] }
    var newRelations: [(path: String, name: String)] { [("name", indexName)] }

    var indexName: String {
        name ?? [table, columnNames.joined(separator: "_"), "idx"].asObjectName
    }

    /// What the index calls its columns: no two the same.
    private var columnNames: [String] {
        let wanted = columns.map { $0.column ?? ExpressionName.of($0.expression ?? "") ?? "expr" } + (include ?? [])
        return wanted.reduce(into: []) { names, name in
            var free = name
            var number = 0
            while names.contains(free) {
                number += 1
                free = "\(name)\(number)"
            }
            names.append(free)
        }
    }

    func flaws(at path: String) -> [PlanError] {
        var flaws: [PlanError] = []
        func flaw(_ field: String, _ message: String, _ code: PlanError.Code = .invalidChange) {
            flaws.append(PlanError(code, at: "\(path).\(field)", message))
        }
        if let wrong = name?.flawAsName { flaw("name", wrong) }
        if columns.isEmpty { flaw("columns", "name at least one") }
        for (index, element) in columns.enumerated() {
            if (element.column == nil) == (element.expression == nil) {
                flaw("columns[\(index)]", "give column or expression, one of both")
            }
            for (field, text) in [("expression", element.expression), ("opclass", element.opclass)] {
                guard let wrong = text.flatMap(Expression.flaw) else { continue }
                flaw("columns[\(index)].\(field)", wrong, .invalidExpression)
            }
        }
        if let wrong = `where`.flatMap(Expression.flaw) { flaw("where", wrong, .invalidExpression) }
        return flaws
    }

    func trials(at path: String, in catalog: Catalog) throws(PlanError) -> [Trial] {
        let create = "CREATE \(unique == true ? "UNIQUE " : "")INDEX ON \(Trial.scratch) \(definition)"
        return [
            Trial(path: path, setUp: try catalog.copy(table, as: Trial.scratch, at: path), statement: create)
        ]
    }

    func plan(into builder: inout PlanBuilder, at path: String) throws(PlanError) {
        let description = try builder.catalog.tableByThen(table, at: path)
        for (index, element) in columns.enumerated() {
            guard let column = element.column else { continue }
            _ = try builder.catalog.column(column, of: description, at: "\(path).columns[\(index)].column")
        }
        builder.needs(columns.compactMap(\.column) + (include ?? []), of: description, at: path)
        if unique == true,
            let missing = description.partitionKey.first(where: { !columns.compactMap(\.column).contains($0) })
        {
            throw PlanError(
                .unsupportedTable, at: "\(path).unique",
                "\(description.name) is partitioned by column \"\(missing)\", and what is unique in all partitions must hold it; "
                    + "add it to columns")
        }
        if unique == true {
            builder.addCheck(
                "no-duplicates",
                "looking for rows of \(description.name) that are the same in \(indexName)",
                table: description.name,
                query: description.duplicates(of: columns.map(\.value), where: `where`),
                message: "rows of \(description.name) have a key of \(indexName) in common; make them differ",
                isLast: true
            )
        }
        builder.addIndex(
            .backfill,
            "index",
            "building index \(indexName) on \(description.name)",
            .named(
                indexName, of: description.name, token: builder.token, isUnique: unique == true,
                definition: definition, partitions: description.isPartitioned ? [:] : nil)
        )
        guard columns.contains(where: { $0.expression != nil }) else { return }
        builder.add(
            .backfill,
            "analyze",
            "collecting statistics of what \(indexName) computes",
            table: description.name,
            lock: "SHARE UPDATE EXCLUSIVE",
            apply: ["ANALYZE \(description.name.quoted)"],
            revert: [],
            isLast: true
        )
    }

    private var definition: String {
        var definition =
            "USING \((method ?? "btree").quotedIdentifier) (\(columns.map(\.clause).joined(separator: ", ")))"
        if let include { definition += " INCLUDE (\(include.quotedList))" }
        if let with, !with.isEmpty {
            let parameters = with.sorted { $0.key < $1.key }.map {
                "\($0.key.quotedIdentifier) = \($0.value.quotedLiteral)"
            }
            definition += " WITH (\(parameters.joined(separator: ", ")))"
        }
        return definition + (`where`.map { " WHERE (\($0))" } ?? "")
    }
}

extension [String] {
    /// A name for an object of a table, made as PostgreSQL makes one: joined by `_`, and short enough to be one. What is too
    /// long loses its end, the longest first; not the last, which says what sort of object it is.
    ///
    /// As `makeObjectName` does: <https://github.com/postgres/postgres/blob/REL_15_STABLE/src/backend/commands/indexcmds.c>.
    public var asObjectName: String {
        var parts = self
        while parts.joined(separator: "_").utf8.count > 63 {
            let longest = parts.dropLast().enumerated().max { left, right in
                (left.element.utf8.count, left.offset) < (right.element.utf8.count, right.offset)
            }
            parts[longest!.offset].unicodeScalars.removeLast()
        }
        return parts.joined(separator: "_")
    }
}

extension TableDescription {
    /// Finds the keys of rows that are the same in `values`, SQL expressions, none of them NULL.
    public func duplicates(of values: [String], where condition: String? = nil) -> String {
        let list = values.joined(separator: ", ")
        let condition = (condition.map { ["(\($0))"] } ?? []) + values.map { "\($0) IS NOT NULL" }
        let rows = "FROM \(name.quoted) WHERE \(condition.joined(separator: " AND "))"
        return """
            SELECT \(keyText) \(rows) AND (\(list)) IN (
                SELECT \(list) \(rows) GROUP BY \(list) HAVING count(*) > 1 LIMIT 5) LIMIT 5
            """
    }
}
