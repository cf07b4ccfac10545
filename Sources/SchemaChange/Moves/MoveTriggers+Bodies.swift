/// What the triggers' functions do.
extension MoveTriggers {
    /// The row has the key that it had before, and its row in the other table goes where it goes: before PostgreSQL looks at
    /// the foreign key. What the other table's triggers make of that is theirs alone to leave, hence the setting: it names
    /// the key for as long as the statement lasts.
    var follow: String {
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
    var followed: String { "sluice.follow" }
    var given: String { "sluice.push_\(move.token)" }

    func rowKey(_ record: String, _ side: KeyPath<ColumnMove.Pair, Column>) -> String {
        let key = move.key.map { "\(record).\($0[keyPath: side].quoted)" }.joined(separator: ", ")
        return "(\("\(move.to) ".quotedLiteral) || ROW(\(key))::text)"
    }

    var written: [String] { move.columns.indices.map { "written_\($0 + 1)" } }

    /// The other table gets what the row holds by now in those that were written, or all of it in a row that is made for
    /// it. Only those: while a statement at the other table is at its triggers, the others may still have to come from there.
    var push: String {
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
                others text := current_setting('\(followed)', true);
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
    var pull: String {
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
