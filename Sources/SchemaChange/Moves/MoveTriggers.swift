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

    private var from: String { move.table.quoted }
    private var to: String { move.to.quoted }

    private func name(_ word: String) -> String { "sluice.\("\(word)_\(move.token)".quotedIdentifier)" }
    private var view: String { name("moved") }
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

    private func viewKey(_ alias: String) -> [String] { move.key.indices.map { "\(alias).key_\($0 + 1)" } }
    private func viewValues(_ alias: String) -> [String] { move.columns.indices.map { "\(alias).value_\($0 + 1)" } }

    /// The row of the view and that of the table which stand for the same.
    private var joined: String {
        zip(viewKey("v"), move.key).map { "t.\($1.to.quoted) = \($0)" }.joined(separator: " AND ")
    }

    private func keyed(_ alias: String, _ columns: [String], by record: String, _ values: [Column]) -> String {
        zip(columns, values).map { "\(alias).\($0) = \(record).\($1.quoted)" }.joined(separator: " AND ")
    }

    private func view(by record: String, _ side: KeyPath<ColumnMove.Pair, Column>) -> String {
        keyed("v", move.key.indices.map { "key_\($0 + 1)" }, by: record, move.key.map { $0[keyPath: side] })
    }

    private func row(by record: String, _ side: KeyPath<ColumnMove.Pair, Column>) -> String {
        keyed("t", move.key.map(\.to.quoted), by: record, move.key.map { $0[keyPath: side] })
    }

    private static func set(_ columns: [String], _ values: [String]) -> String {
        zip(columns, values).map { "\($0) = \($1)" }.joined(separator: ", ")
    }

    // MARK: Creation and removal, side by side

    /// What the table gets to which the columns go.
    var createTo: [String] {
        let columns =
            move.key.enumerated().map { "\($1.from.quoted) AS key_\($0 + 1)" }
            + move.columns.enumerated().map { "\($1.from.quoted) AS value_\($0 + 1)" }
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

    private static func changed(_ columns: [Column]) -> String {
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

    // MARK: Bodies

    /// The row has the key that it had before, and its row in the other table goes where it goes: before PostgreSQL looks at
    /// the foreign key. What the other table's triggers make of that is theirs alone to leave, hence the setting: it names
    /// the key for as long as the statement lasts.
    private var follow: String {
        let setKey = move.key.map { "\($0.to.quoted) = NEW.\($0.from.quoted)" }.joined(separator: ", ")
        return """
            DECLARE
                before text := current_setting('\(followed)', true);
            BEGIN
            PERFORM set_config('\(followed)', \(rowKey("OLD", \.from)), true);
            IF TG_OP = 'DELETE' THEN
                DELETE FROM \(to) AS t WHERE \(row(by: "OLD", \.from));
            ELSE
                UPDATE \(to) AS t SET \(setKey) WHERE \(row(by: "OLD", \.from));
            END IF;
            PERFORM set_config('\(followed)', coalesce(before, ''), true);
            RETURN NULL;
            END
            """
    }

    /// Settings of the transaction: the key of the row that is about to follow, or to be given what others hold.
    /// The first is one for all moves to the same table: their rows follow for each of them.
    private var followed: String { "sluice.follow" }
    private var given: String { "sluice.push_\(move.token)" }

    private func rowKey(_ record: String, _ side: KeyPath<ColumnMove.Pair, Column>) -> String {
        let key = move.key.map { "\(record).\($0[keyPath: side].quoted)" }.joined(separator: ", ")
        return "(\("\(move.to) ".quotedLiteral) || ROW(\(key))::text)"
    }

    private var written: [String] { move.columns.indices.map { "written_\($0 + 1)" } }

    /// The other table gets what the row holds by now in those that were written, or all of it in a row that is made for
    /// it. Only those: while a statement at the other table is at its triggers, the others may still have to come from there.
    private var push: String {
        let theirs = move.toValues("t")
        let ours = viewValues("v")
        let key = move.key.map(\.to.quoted).joined(separator: ", ")
        let names = move.columns.map(\.to.quoted)
        func set(_ values: [String]) -> String {
            Self.set(
                names, names.indices.map { "CASE WHEN \(written[$0]) THEN \(values[$0]) ELSE \(theirs[$0]) END" })
        }
        func differ(_ values: [String]) -> String {
            let each = names.indices.map { "\(written[$0]) AND \(ColumnMove.differ([theirs[$0]], [values[$0]]))" }
            return "(\(each.joined(separator: " OR ")))"
        }
        let excluded = names.map { "excluded.\($0)" }
        let columns = move.columns.map(\.from)
        let moved = Self.changed(move.key.map(\.from) + move.walkKey)
        return """
            DECLARE
            \(written.map { "    \($0) boolean := true;" }.joined(separator: "\n"))
                before text := current_setting('\(given)', true);
            BEGIN
            IF TG_OP = 'UPDATE' THEN
                IF NOT \(moved) AND \(Self.changed(columns)) THEN
                    \(zip(written, columns).map { "\($0) := \(Self.changed([$1]));" }.joined(separator: "\n"))
                END IF;
            END IF;
            PERFORM set_config('\(given)', \(rowKey("NEW", \.from)), true);
            \(seeingOneSnapshot(meetTheirRow))
            UPDATE \(to) AS t SET \(set(ours)) FROM \(view) AS v
                WHERE \(view(by: "NEW", \.from)) AND \(joined) AND \(differ(ours));
            IF NOT FOUND THEN
                INSERT INTO \(to) AS t (\(move.insertedColumns))
                SELECT \((viewKey("v") + ours).joined(separator: ", ")) FROM \(view) AS v
                WHERE \(view(by: "NEW", \.from)) AND \(ColumnMove.anyGiven(ours))
                    AND NOT EXISTS (SELECT FROM \(to) AS t WHERE \(joined) AND NOT \(differ(ours)))
                ON CONFLICT (\(key)) DO UPDATE SET \(set(excluded)) WHERE \(differ(excluded));
            END IF;
            PERFORM set_config('\(given)', coalesce(before, ''), true);
            RETURN NULL;
            END
            """
    }

    /// The old columns get what the row holds by now in those that were written. Of a row that is new, NULL says nothing
    /// where the old column holds something, which is so only of what is not filled yet.
    private var pull: String {
        let theirs = move.toValues("t")
        let ours = viewValues("v")
        let names = move.columns.indices.map { "value_\($0 + 1)" }
        let nothing = Self.set(names, names.map { _ in "NULL" })
        let merged = zip(theirs, ours).map { "coalesce(\($0), \($1))" }
        return """
            DECLARE
            \(written.map { "    \($0) boolean := false;" }.joined(separator: "\n"))
                is_new boolean := TG_OP = 'INSERT';
                before text := current_setting('\(given)', true);
            BEGIN
            IF TG_OP = 'TRUNCATE' THEN
                UPDATE \(view) AS v SET \(nothing) WHERE \(ColumnMove.anyGiven(ours));
                RETURN NULL;
            END IF;
            IF TG_OP = 'UPDATE' THEN
                IF TG_NARGS = 1 AND current_setting('\(given)', true) = \(rowKey("NEW", \.to)) THEN
                    RETURN NULL;
                END IF;
                is_new := \(Self.changed(move.key.map(\.to)));
            END IF;
            IF TG_OP = 'DELETE' OR (is_new AND TG_OP = 'UPDATE') THEN
                IF current_setting('\(followed)', true) = \(rowKey("OLD", \.to)) THEN
                    RETURN NULL;
                END IF;
                \(seeingOneSnapshot("PERFORM FROM \(view) AS v WHERE \(view(by: "OLD", \.to)) FOR NO KEY UPDATE;"))
                IF TG_OP = 'UPDATE' THEN
                    PERFORM set_config('\(given)', \(rowKey("NEW", \.to)), true);
                    \(takeAlong)
                    PERFORM set_config('\(given)', coalesce(before, ''), true);
                END IF;
                UPDATE \(view) AS v SET \(nothing) WHERE \(view(by: "OLD", \.to)) AND \(ColumnMove.anyGiven(ours))
                    AND NOT EXISTS (SELECT FROM \(to) AS t WHERE \(joined));
            END IF;
            IF TG_OP = 'DELETE' THEN
                RETURN NULL;
            END IF;
            \(seeingOneSnapshot(meetOurRow))
            IF EXISTS (SELECT FROM \(to) AS t, \(view) AS v
                    WHERE \(row(by: "NEW", \.to)) AND \(joined) AND NOT \(ColumnMove.differ(ours, theirs))) THEN
                RETURN NULL;
            END IF;
            IF is_new THEN
                UPDATE \(view) AS v SET \(Self.set(names, merged)) FROM \(to) AS t
                    WHERE \(row(by: "NEW", \.to)) AND \(joined) AND \(ColumnMove.differ(ours, merged));
                UPDATE \(to) AS t SET \(Self.set(move.columns.map(\.to.quoted), ours)) FROM \(view) AS v
                    WHERE \(row(by: "NEW", \.to)) AND \(joined) AND \(ColumnMove.differ(theirs, ours));
                RETURN NULL;
            END IF;
            \(written.indices.map { noted(written[$0], $0) }.joined(separator: "\n"))
            UPDATE \(view) AS v SET \(Self.set(names, names.indices.map {
                "CASE WHEN \(written[$0]) THEN \(theirs[$0]) ELSE \(ours[$0]) END" })) FROM \(to) AS t
                WHERE \(row(by: "NEW", \.to)) AND \(joined) AND (\(names.indices.map {
                    "\(written[$0]) AND \(ColumnMove.differ([ours[$0]], [theirs[$0]]))" }.joined(separator: " OR ")));
            RETURN NULL;
            END
            """
    }

    // MARK: Transactions that see one snapshot

    /// At `REPEATABLE READ` and `SERIALIZABLE` what is compared here may be older than what the other table holds by now. There
    /// its row is locked first: PostgreSQL refuses that (40001) if somebody has changed it since the snapshot, as it would
    /// refuse to change it.
    private func seeingOneSnapshot(_ body: String) -> String {
        """
        IF current_setting('transaction_isolation') NOT IN ('read committed', 'read uncommitted') THEN
            \(body)
        END IF;
        """
    }

    /// A row that came after the snapshot cannot be locked, since it is not seen; but one of the same key cannot be made.
    private var meetTheirRow: String {
        let key = move.key.map(\.to.quoted).joined(separator: ", ")
        let values = move.key.map { "NEW.\($0.from.quoted)" }.joined(separator: ", ")
        return """
            PERFORM FROM \(to) AS t WHERE \(row(by: "NEW", \.from)) FOR NO KEY UPDATE;
            IF NOT FOUND THEN
                INSERT INTO \(to) (\(key)) VALUES (\(values)) ON CONFLICT (\(key)) DO NOTHING;
                PERFORM set_config('\(followed)', \(rowKey("NEW", \.from)), true);
                DELETE FROM \(to) AS t WHERE \(row(by: "NEW", \.from));
                PERFORM set_config('\(followed)', '', true);
            END IF;
            """
    }

    private var meetOurRow: String {
        """
        PERFORM FROM \(view) AS v WHERE \(view(by: "NEW", \.to)) FOR NO KEY UPDATE;
        IF NOT FOUND THEN
            RAISE serialization_failure USING MESSAGE =
                \("could not serialize access: the row of \(move.table) came after the transaction's snapshot".quotedLiteral);
        END IF;
        """
    }

    /// A row that gets another key by itself takes along what it was to be filled with.
    private var takeAlong: String {
        let columns = zip(move.columns, viewValues("v")).map { pair, value in
            let name = pair.to.quoted
            let isUnfilled = ["OLD", "NEW", "t"].map { "\($0).\(name) IS NOT DISTINCT FROM NULL" }
            return (name, value, isUnfilled.joined(separator: " AND "))
        }
        return """
            UPDATE \(to) AS t SET \(columns.map {
                "\($0) = CASE WHEN \($2) THEN \($1) ELSE t.\($0) END" }.joined(separator: ", ")) FROM \(view) AS v
            WHERE \(view(by: "OLD", \.to)) AND \(row(by: "NEW", \.to))
                AND (\(columns.map { "\($2) AND \($1) IS DISTINCT FROM NULL" }.joined(separator: " OR ")));
            """
    }

    /// Whether the statement wrote the column: it changed, or was named and stayed as it was.
    private func noted(_ variable: String, _ index: Int) -> String {
        """
        IF TG_NARGS = 1 THEN
            \(variable) := TG_ARGV[0] = '\(index + 1)';
        ELSE
            \(variable) := \(Self.changed([move.columns[index].to]));
        END IF;
        """
    }
}
