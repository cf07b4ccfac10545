/// Makes a table, at Expand.
///
/// Undoing it drops the table, and what was written to it.
public struct CreateTable: Codable, Hashable, Sendable, ChangeKind {
    public var table: String
    public var columns: [TableColumn]
    public var primaryKey: [String]?
    public var constraints: [NewConstraint]?
    public var comment: String?

    public init(
        table: String, columns: [TableColumn], primaryKey: [String]? = nil, constraints: [NewConstraint]? = nil,
        comment: String? = nil
    ) {
        self.table = table
        self.columns = columns
        self.primaryKey = primaryKey
        self.constraints = constraints
        self.comment = comment
    }

    /// Those that its foreign keys refer to are locked as well, for as long as it takes to make them.
    var tables: [String] { [table] + referred.map(\.references.table).filter { $0 != table } }
    var newRelations: [(path: String, name: String)] { [("table", table)] }

    /// But for those that stand for a type with a sequence.
    var types: [(path: String, type: String)] {
        columns.enumerated().filter { !$1.isSerial }.map { ("columns[\($0)].type", $1.type) }
    }

    var referred: [(path: String, columns: [String], references: References)] {
        columns.enumerated().compactMap { index, column in
            column.references.map { ("columns[\(index)].references", [column.name], $0) }
        }
            + (constraints ?? []).enumerated().compactMap { index, constraint in
                constraint.foreignKey.map {
                    ("constraints[\(index)].foreignKey.references", $0.columns, $0.references)
                }
            }
    }

    func flaws(at path: String) -> [PlanError] {
        var flaws = columns.enumerated().flatMap { $1.flaws(at: "\(path).columns[\($0)]") }
        func flaw(_ field: String, _ message: String) {
            flaws.append(PlanError(.invalidChange, at: "\(path).\(field)", message))
        }
        if let wrong = table.flawAsName { flaw("table", wrong) }
        var names: Set<String> = []
        for (index, column) in columns.enumerated() where !names.insert(column.name).inserted {
            flaw("columns[\(index)].name", "there is a column \"\(column.name)\" already")
        }
        for (index, name) in (primaryKey ?? []).enumerated() where !names.contains(name) {
            flaw("primaryKey[\(index)]", "\"\(name)\" is not one of the columns")
        }
        if primaryKey?.isEmpty == true { flaw("primaryKey", "name at least one column") }
        for (index, constraint) in (constraints ?? []).enumerated() {
            flaws += constraint.flaws(at: "\(path).constraints[\(index)]")
            if constraint.primaryKey != nil { flaw("constraints[\(index)]", "write it as primaryKey of the table") }
            if constraint.notNull != nil {
                flaw("constraints[\(index)]", "write it as nullable: false of the column")
            }
            for name in constraint.columns where !names.contains(name) {
                flaw("constraints[\(index)]", "\"\(name)\" is not one of the columns")
            }
        }
        return flaws
    }

    func trials(at path: String, in catalog: Catalog) throws(PlanError) -> [Trial] {
        var trials = [Trial(path: path, setUp: [], statement: scratch(as: Trial.scratch))]
        for (place, columns, references) in referred {
            let foreignKey = NewConstraint.ForeignKey(columns: columns, references: references)
            trials.append(
                try foreignKey.trial(
                    of: table, setUp: [scratch(as: Trial.scratch)], at: "\(path).\(place)", in: catalog))
        }
        return trials
    }

    func plan(into builder: inout PlanBuilder, at path: String) throws(PlanError) {
        let name = TableName(schema: builder.catalog.schema, name: table)
        var names: [String: TableName] = [table: name]
        for (place, _, references) in referred where names[references.table] == nil {
            names[references.table] =
                try builder.catalog.tableByThen(references.table, at: "\(path).\(place)").name
        }
        var comments: [String] = []
        if let comment { comments.append("COMMENT ON TABLE \(name.quoted) IS \(comment.quotedLiteral)") }
        for column in columns {
            guard let comment = column.comment else { continue }
            comments.append(
                "COMMENT ON COLUMN \(name.quoted).\(column.name.quotedIdentifier) IS \(comment.quotedLiteral)")
        }
        let other = referred.lazy.map { names[$0.references.table]! }.first { $0 != name }
        builder.add(
            .expand,
            "create-table",
            "creating \(name)" + (other.map { ", which refers to \($0)" } ?? ""),
            table: name,
            otherTable: other,
            apply: ["CREATE TABLE \(name.quoted) (\(clauses { names[$0]!.quoted }))"] + comments,
            revert: ["DROP TABLE IF EXISTS \(name.quoted)"]
        )
    }

    /// What stands between the parentheses. `quoted` answers the table of a foreign key; nil leaves the foreign keys out.
    private func clauses(_ quoted: ((String) -> String)?) -> String {
        var clauses = columns.map { column in
            column.clause(referred: column.references.flatMap { quoted?($0.table) })
        }
        if let primaryKey { clauses.append("PRIMARY KEY (\(primaryKey.quotedList))") }
        for constraint in constraints ?? [] where constraint.foreignKey == nil || quoted != nil {
            let referred = constraint.foreignKey.flatMap { quoted?($0.references.table) }
            clauses.append("CONSTRAINT \(constraint.name!.quotedIdentifier) \(constraint.clause(referred: referred))")
        }
        return clauses.joined(separator: ", ")
    }

    /// The statement that makes a temporary one like it, without its foreign keys.
    func scratch(as name: String) -> String {
        "CREATE TEMPORARY TABLE \(name) (\(clauses(nil))) ON COMMIT DROP"
    }

    /// As it will be, for changes that build on it.
    func description(in schema: String) -> TableDescription {
        var constraints: [TableDescription.Constraint] = []
        if let primaryKey {
            constraints.append(.init(name: "\(table)_pkey", kind: "p", columns: primaryKey, definition: ""))
        }
        return TableDescription(
            name: TableName(schema: schema, name: table),
            columns: columns.map {
                .init(
                    name: $0.name, type: $0.type,
                    notNull: $0.nullable == false || primaryKey?.contains($0.name) == true,
                    defaultExpression: $0.default ?? ($0.isSerial ? "nextval" : nil),
                    generated: $0.generated?.expression != nil, isIdentity: $0.generated?.identity != nil,
                    comment: $0.comment)
            },
            key: primaryKey ?? [],
            constraints: constraints,
            comment: comment
        )
    }
}
