/// `SET NOT NULL` in three steps, none of which scans the table under a lock that stops writers: a constraint that is
/// not validated, its validation, and then the column's own flag, for which PostgreSQL takes the constraint as proof.
struct NotNull {
    struct Part {
        let name: String
        let title: String
        /// What the opposite is called, where ``revert`` is what is done.
        let opposite: String
        let lock: String
        let apply: [String]
        let revert: [String]
    }

    let table: TableName
    let column: String
    /// As it is called in the table, where that is something else.
    var interim: String?
    let token: String
    /// What it is to be called, where that is not left to PostgreSQL; since 18.
    var requirement: String?

    var steps: [Part] {
        let alter = "ALTER TABLE \(table.quoted)"
        let quoted = (interim ?? column).quotedIdentifier
        // Columns may agree in more than a name can hold.
        let constraint = "sluice_not_null_\(token)_\(Plan.token(migration: column, index: 0))".quotedIdentifier
        let set =
            requirement.map { "\(alter) ADD CONSTRAINT \($0.quotedIdentifier) NOT NULL \(quoted)" }
            ?? "\(alter) ALTER COLUMN \(quoted) SET NOT NULL"
        return [
            Part(
                name: "\(column)-not-null-add",
                title: "refusing NULL in \(column) of \(table) from now on",
                opposite: "no longer refusing NULL in \(column) of \(table)",
                lock: "ACCESS EXCLUSIVE",
                apply: ["\(alter) ADD CONSTRAINT \(constraint) CHECK (\(quoted) IS NOT NULL) NOT VALID"],
                revert: ["\(alter) DROP CONSTRAINT IF EXISTS \(constraint)"]
            ),
            Part(
                name: "\(column)-not-null-validate",
                title: "validating that \(column) of \(table) holds no NULL",
                opposite: "validating that \(column) of \(table) holds no NULL",
                lock: "SHARE UPDATE EXCLUSIVE",
                apply: ["\(alter) VALIDATE CONSTRAINT \(constraint)"],
                revert: []
            ),
            Part(
                name: "\(column)-not-null-set",
                title: "declaring \(column) of \(table) NOT NULL",
                opposite: "allowing NULL in \(column) of \(table)",
                lock: "ACCESS EXCLUSIVE",
                apply: [set, "\(alter) DROP CONSTRAINT \(constraint)"],
                revert: ["\(alter) ALTER COLUMN \(quoted) DROP NOT NULL"]
            ),
        ]
    }
}
