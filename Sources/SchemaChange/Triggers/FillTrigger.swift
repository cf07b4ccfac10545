/// Gives a column that the new version no longer writes a value in the rows that it inserts, so that the old version
/// finds what it expects.
struct FillTrigger {
    let table: TableName
    let column: Column
    /// Under which name the column stands in the table: its own, or that in the archive.
    var storedAs: String
    let expression: String
    /// Every column that the expression names.
    let named: [Column]
    let token: String

    private var functionName: String { "sluice.\(("fill_" + token).quotedIdentifier)" }
    private var trigger: String { "\(DualWriteTriggers.lastName)_fill_\(token)".quotedIdentifier }

    var create: [String] {
        let stored = "NEW.\(storedAs.quotedIdentifier)"
        let body = """
            IF \(stored) IS NULL THEN
            \(named.map { "\($0.quoted) := NEW.\($0.quoted);" }.joined(separator: "\n"))
            \(stored) := (\(expression));
            END IF;
            """
        return [
            TriggerFunction(name: functionName, schema: table.schema, variables: named, body: body).create,
            "CREATE TRIGGER \(trigger) BEFORE INSERT ON \(table.quoted) FOR EACH ROW EXECUTE FUNCTION \(functionName)()",
            "ALTER TABLE \(table.quoted) ENABLE ALWAYS TRIGGER \(trigger)",
        ]
    }

    var drop: [String] {
        [
            "DROP TRIGGER IF EXISTS \(trigger) ON \(table.quoted)",
            "DROP FUNCTION IF EXISTS \(functionName)()",
        ]
    }
}
