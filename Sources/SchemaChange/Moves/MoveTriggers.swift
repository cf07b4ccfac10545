/// The triggers that keep both sides of a ``ColumnMove`` the same.
///
/// All come after the row is written, look at what the tables hold by then, not at what the statement wrote, and do
/// nothing where both sides are the same already. So they come to an end, whatever triggers of others change in between.
///
/// Their functions run with the rights of who made them: who may write one table may have none on the other. They reach the
/// old columns through a view of ours, in which those keep their names when Contract renames them: a statement that waits
/// for Contract's lock goes on as if nothing had happened.
struct MoveTriggers {
    let move: ColumnMove

    var from: String { move.table.quoted }
    var to: String { move.to.quoted }

    private func name(_ word: String) -> String { "sluice.\("\(word)_\(move.token)".quotedIdentifier)" }
    var view: String { name("moved") }
    private var pushFunction: String { name("push") }
    private var pullFunction: String { name("pull") }
    private var followFunction: String { name("follow") }

    private func first(_ number: Int) -> String {
        "\(DualWriteTriggers.firstName)_1_\(move.token)_\(number)".quotedIdentifier
    }
    private func last(_ number: String) -> String {
        "\(DualWriteTriggers.lastName)_\(move.token)_\(number)".quotedIdentifier
    }

    // MARK: What the view calls them

    func viewKey(_ alias: String) -> [String] { move.key.indices.map { "\(alias).key_\($0 + 1)" } }
    func viewValues(_ alias: String) -> [String] { move.columns.indices.map { "\(alias).value_\($0 + 1)" } }

    /// The row of the view and that of the table which stand for the same.
    var joined: String {
        zip(viewKey("v"), move.key).map { "t.\($1.to.quoted) = \($0)" }.joined(separator: " AND ")
    }

    private func keyed(_ alias: String, _ columns: [String], by record: String, _ values: [Column]) -> String {
        zip(columns, values).map { "\(alias).\($0) = \(record).\($1.quoted)" }.joined(separator: " AND ")
    }

    func view(by record: String, _ side: KeyPath<ColumnMove.Pair, Column>) -> String {
        keyed("v", move.key.indices.map { "key_\($0 + 1)" }, by: record, move.key.map { $0[keyPath: side] })
    }

    func row(by record: String, _ side: KeyPath<ColumnMove.Pair, Column>) -> String {
        keyed("t", move.key.map(\.to.quoted), by: record, move.key.map { $0[keyPath: side] })
    }

    static func set(_ columns: [String], _ values: [String]) -> String {
        zip(columns, values).map { "\($0) = \($1)" }.joined(separator: ", ")
    }

    // MARK: Creation and removal, side by side

    /// What the table gets to which the columns go.
    var createTo: [String] { createTo(move.columns.map(\.from.name)) }

    /// The same while the old columns are in the archive.
    var createArchivedTo: [String] { createTo(move.columns.indices.map(move.archived)) }

    private func createTo(_ values: [String]) -> [String] {
        let columns =
            move.key.enumerated().map { "\($1.from.quoted) AS key_\($0 + 1)" }
            + values.enumerated().map { "\($1.quotedIdentifier) AS value_\($0 + 1)" }
        return ["CREATE VIEW \(view) AS SELECT \(columns.joined(separator: ", ")) FROM \(from)"]
            + function(pullFunction, pull) + triggers(of: to, toTriggers)
    }

    var dropTo: [String] {
        toTriggers.map { "DROP TRIGGER IF EXISTS \($0.name) ON \(to)" }
            + ["DROP FUNCTION IF EXISTS \(pullFunction)()", "DROP VIEW IF EXISTS \(view)"]
    }

    /// What the table gets that has the old columns, and loses at Contract.
    var createFrom: [String] {
        function(pushFunction, push) + function(followFunction, follow) + triggers(of: from, fromTriggers)
    }

    var dropFrom: [String] {
        fromTriggers.map { "DROP TRIGGER IF EXISTS \($0.name) ON \(from)" }
            + [pushFunction, followFunction].map { "DROP FUNCTION IF EXISTS \($0)()" }
    }

    /// Only who may run a function can make a trigger of it.
    private func function(_ name: String, _ body: String) -> [String] {
        [
            """
            CREATE OR REPLACE FUNCTION \(name)() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER \
            SET search_path = \(SearchPath.of(move.table.schema)) AS \(body.quotedLiteral)
            """,
            "REVOKE ALL ON FUNCTION \(name)() FROM PUBLIC",
        ]
    }

    private struct Trigger {
        let name: String
        let event: String
        var condition: String?
        let function: String
        var isOfRow = true
    }

    private func triggers(of table: String, _ triggers: [Trigger]) -> [String] {
        triggers.flatMap { trigger in
            [
                "CREATE TRIGGER \(trigger.name) AFTER \(trigger.event) ON \(table) "
                    + (trigger.isOfRow ? "FOR EACH ROW " : "FOR EACH STATEMENT ")
                    + (trigger.condition.map { "WHEN (\($0)) " } ?? "") + "EXECUTE FUNCTION \(trigger.function)",
                "ALTER TABLE \(table) ENABLE ALWAYS TRIGGER \(trigger.name)",
            ]
        }
    }

    static func changed(_ columns: [Column]) -> String {
        ColumnMove.differ(columns.map { "OLD.\($0.quoted)" }, columns.map { "NEW.\($0.quoted)" })
    }

    private var fromTriggers: [Trigger] {
        let key = move.key.map(\.from)
        let values = move.columns.map(\.from)
        // A row that moves past a walk is right when it does.
        let walked = move.walkKey.filter { !key.contains($0) }
        let named = values.map(\.quoted).joined(separator: ", ")
        let changed = Self.changed(key + walked + values)
        return [
            Trigger(name: first(0), event: "DELETE", function: "\(followFunction)()"),
            Trigger(name: first(1), event: "UPDATE", condition: Self.changed(key), function: "\(followFunction)()"),
            Trigger(
                name: last("0"), event: "INSERT",
                condition: ColumnMove.anyGiven(values.map { "NEW.\($0.quoted)" }), function: "\(pushFunction)()"),
            Trigger(name: last("1"), event: "UPDATE", condition: changed, function: "\(pushFunction)()"),
            Trigger(
                name: last("2"), event: "UPDATE OF \(named)", condition: "NOT \(changed)",
                function: "\(pushFunction)()"),
        ]
    }

    private var toTriggers: [Trigger] {
        let values = move.columns.map(\.to)
        let named = values.enumerated().map { index, column in
            Trigger(
                name: last("5_\(index + 1)"), event: "UPDATE OF \(column.quoted)",
                condition: "NOT \(Self.changed([column]))", function: "\(pullFunction)('\(index + 1)')")
        }
        return [
            Trigger(
                name: last("3"), event: "INSERT",
                condition: ColumnMove.anyGiven(values.map { "NEW.\($0.quoted)" }), function: "\(pullFunction)()"),
            Trigger(
                name: last("4"), event: "UPDATE", condition: Self.changed(move.key.map(\.to) + values),
                function: "\(pullFunction)()"),
        ] + named + [
            Trigger(name: last("6"), event: "DELETE", function: "\(pullFunction)()"),
            Trigger(name: last("7"), event: "TRUNCATE", function: "\(pullFunction)()", isOfRow: false),
        ]
    }
}
