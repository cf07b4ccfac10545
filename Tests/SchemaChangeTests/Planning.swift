import Foundation

@testable import SchemaChange

/// Plans without a database.
enum Planning {
    /// `customers (id, full_name, note, total)` of schema `public`, but for what is said.
    static func table(
        _ name: String = "customers",
        columns: [TableDescription.ColumnDescription]? = nil,
        key: [String] = ["id"],
        referenced: [String] = [],
        triggers: [String] = []
    ) -> TableDescription {
        TableDescription(
            name: TableName(schema: "public", name: name),
            columns: columns ?? [
                .init(name: "id", type: "bigint", notNull: true),
                .init(name: "full_name", type: "text", notNull: true),
                .init(name: "note", type: "text", defaultExpression: "'none'::text"),
                .init(name: "total", type: "integer"),
                .init(name: "doubled", type: "integer", generated: true),
            ],
            key: key,
            referencedColumns: referenced,
            beforeRowTriggers: triggers
        )
    }

    static func catalog(_ tables: [TableDescription]) -> Catalog {
        Catalog(schema: "public", tables: Dictionary(uniqueKeysWithValues: tables.map { ($0.name.name, $0) }))
    }

    /// The plan; what an expression names is looked for in its text.
    static func plan(
        _ changes: [Change],
        writer: DualWriter = .database,
        tables: [TableDescription] = [table()],
        migration: String = "shop/a"
    ) throws(PlanError) -> Plan {
        let catalog = catalog(tables)
        var references: [ExpressionCheck: [String]] = [:]
        for check in try PlanBuilder.checks(for: changes, catalog: catalog) {
            let present = tables.first { $0.name == check.table }?.columns.map(\.name) ?? []
            references[check] = (present + check.newColumns.map(\.name)).filter { check.expression.contains($0) }
        }
        return try PlanBuilder.plan(
            changes,
            writer: writer,
            hash: "sha256:0",
            migration: migration,
            catalog: catalog,
            references: references
        )
    }

    /// Why there is no plan.
    static func refusal(_ changes: [Change], tables: [TableDescription] = [table()]) -> PlanError? {
        do {
            _ = try plan(changes, tables: tables)
            return nil
        } catch {
            return error
        }
    }

    static let split = Change.replaceColumns(
        ReplaceColumns(
            table: "customers",
            from: ["full_name"],
            to: [NewColumn(name: "first", type: "text", nullable: false), NewColumn(name: "last", type: "text")],
            forward: ["first": "split_part(full_name, ' ', 1)", "last": "split_part(full_name, ' ', 2)"],
            backward: ["full_name": "first || ' ' || last"]
        )
    )

    static let cents = Change.alterColumn(
        AlterColumn(
            table: "customers",
            column: "total",
            to: NewColumn(name: "cents", type: "bigint"),
            forward: "total::bigint * 100",
            backward: "(cents / 100)::integer"
        )
    )

    static let remote = Change.replaceColumns(
        ReplaceColumns(
            table: "customers",
            from: ["full_name"],
            to: [NewColumn(name: "first", type: "text")],
            forwardBy: RemoteForward(target: "poll://any@names", function: "split"),
            backward: ["full_name": "first"]
        )
    )

    static func remoteColumn(
        from: [String]? = ["note"], forward: String? = nil, target: String? = "poll://any@names"
    ) -> Change {
        .addColumn(
            AddColumn(
                table: "customers", column: NewColumn(name: "language", type: "text", nullable: false),
                forward: forward,
                from: from, forwardBy: target.map { RemoteForward(target: $0, function: "language_of") }))
    }

    static func add(_ name: String, forward: String? = nil, default value: String? = nil, nullable: Bool? = nil)
        -> Change
    {
        let column = NewColumn(name: name, type: "text", nullable: nullable)
        return .addColumn(AddColumn(table: "customers", column: column, default: value, forward: forward))
    }

    static func drop(_ name: String, backward: String? = nil) -> Change {
        .dropColumn(DropColumn(table: "customers", column: name, backward: backward))
    }

    static func decode(_ json: String) throws -> Change {
        try JSONDecoder().decode(Change.self, from: Data(json.utf8))
    }
}
