/// A table in the shape that one version of the application knows, under its old name in a schema of the version's: the
/// application finds it by `search_path`.
///
/// PostgreSQL lets it be written like the table, with `RETURNING` and `ON CONFLICT`, but for `COPY … FROM`:
/// <https://www.postgresql.org/docs/15/sql-createview.html>. Rights and policies are those of whoever uses it.
struct VersionView {
    struct Shown {
        /// As the version calls it.
        let name: String
        /// As the table calls it until Contract.
        let stored: String
        /// What a row gets that is inserted without it, an SQL expression.
        var defaultExpression: String?
    }

    let schema: String
    let table: TableDescription
    let columns: [Shown]

    var name: TableName { TableName(schema: schema, name: table.name.name) }

    var create: [String] {
        let list = columns.map {
            $0.name == $0.stored
                ? $0.name.quotedIdentifier : "\($0.stored.quotedIdentifier) AS \($0.name.quotedIdentifier)"
        }
        var statements = [
            "CREATE VIEW \(name.quoted) WITH (security_invoker = true) AS "
                + "SELECT \(list.joined(separator: ", ")) FROM \(table.name.quoted)"
        ]
        statements += columns.compactMap { column in
            column.defaultExpression.map {
                "ALTER VIEW \(name.quoted) ALTER COLUMN \(column.name.quotedIdentifier) SET DEFAULT \($0)"
            }
        }
        return statements + table.grants(on: name, columns: Set(columns.map(\.name)))
    }

    var drop: String { "DROP VIEW IF EXISTS \(name.quoted)" }

    /// The schema of the views of a migration: `public_split_customer_name`.
    static func schema(of migration: String, in schema: String) -> String {
        let name = migration.split(separator: "/").last.map(String.init) ?? migration
        let whole = "\(schema)_\(String(name.map { $0.isLetter || $0.isNumber ? $0 : "_" }))"
        guard whole.utf8.count > 63 else { return whole }
        let token = Plan.token(migration: migration, index: 0)
        var start = Substring(whole)
        while start.utf8.count > 63 - token.utf8.count - 1 { start.removeLast() }
        return "\(start)_\(token)"
    }
}

extension TableDescription {
    /// Lets those who may read and write the table do so through a view of it.
    ///
    /// - Parameter columns: those of the view, where it does not have all of the table's.
    func grants(on view: TableName, columns: Set<String>? = nil) -> [String] {
        let own = ["GRANT SELECT, INSERT, UPDATE, DELETE ON \(view.quoted) TO \(owner.quotedIdentifier)"]
        return own
            + grants.filter { grant in
                ["SELECT", "INSERT", "UPDATE", "DELETE"].contains(grant.privilege)
                    && (grant.column.flatMap { columns?.contains($0) } ?? true)
            }.map { $0.statement(on: view, column: $0.column) }
    }
}
