/// Transactions that see one snapshot.
extension MoveTriggers {
    /// At `REPEATABLE READ` and `SERIALIZABLE` what is compared here may be older than what the other table holds by now. There
    /// its row is locked first: PostgreSQL refuses that (40001) if somebody has changed it since the snapshot, as it would
    /// refuse to change it.
    func seeingOneSnapshot(_ body: String) -> String {
        """
        IF current_setting('transaction_isolation') NOT IN ('read committed', 'read uncommitted') THEN
            \(body)
        END IF;
        """
    }

    /// A row that came after the snapshot cannot be locked, since it is not seen; but one of the same key cannot be made.
    /// A trigger of somebody else may be why it is looked for while another row is following its own, which `others` names.
    var meetTheirRow: String {
        let key = move.key.map(\.to.quoted).joined(separator: ", ")
        let values = move.key.map { "NEW.\($0.from.quoted)" }.joined(separator: ", ")
        return """
            PERFORM FROM \(to) AS t WHERE \(row(by: "NEW", \.from)) FOR NO KEY UPDATE;
            IF NOT FOUND THEN
                INSERT INTO \(to) (\(key)) VALUES (\(values)) ON CONFLICT (\(key)) DO NOTHING;
                PERFORM set_config('\(followed)', \(rowKey("NEW", \.from)), true);
                DELETE FROM \(to) AS t WHERE \(row(by: "NEW", \.from));
                PERFORM set_config('\(followed)', coalesce(others, ''), true);
            END IF;
            """
    }

    var meetOurRow: String {
        """
        PERFORM FROM \(view) AS v WHERE \(view(by: "NEW", \.to)) FOR NO KEY UPDATE;
        IF NOT FOUND THEN
            RAISE serialization_failure USING MESSAGE =
                \("could not serialize access: the row of \(move.table) came after the transaction's snapshot".quotedLiteral);
        END IF;
        """
    }

    /// A row that gets another key by itself takes along what it was to be filled with.
    var takeAlong: String {
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
}
