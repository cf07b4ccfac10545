/// SQL for somebody who mends rows that are not as their side says: offered, and never run by Sluice.
public struct RowRepair: Sendable, Hashable {
    public let table: TableName
    /// Gives rows that version 1 wrote last their new columns again. It goes through the triggers as a write of version 2
    /// does, so rows whose old columns that would change are left out; so are those that version 2 wrote last: what it wrote
    /// stands nowhere else. Nil where nothing leads back to the old side, which such a write would then part from the new.
    public let update: String?
    /// Lists the rows that are wrong: the key, whose they are, and both sides. Those that nobody has filled yet are not.
    public let list: String
}

extension Mapping {
    /// Nil where a worker, or the application, computes a side: they alone know what is right.
    public var repair: RowRepair? {
        guard remote == nil, !isWrittenByApplication else { return nil }
        var shown: [String] = []
        for name in key.map(\.quoted) + [marker.quotedIdentifier] + (old + new).map(\.stored)
        where !shown.contains(name) { shown.append(name) }
        return RowRepair(
            table: table, update: repairingUpdate,
            list:
                "SELECT \(shown.joined(separator: ", ")) FROM \(table.quoted) WHERE \(marker.quotedIdentifier) IS NOT NULL AND \(violation)"
        )
    }

    private var repairingUpdate: String? {
        guard !old.isEmpty else { return nil }
        let values = new.map { "(\(forward[$0.name]!))::\($0.type)" }
        let assignments = zip(new, values).map { "\($0.stored) = \($1)" }.joined(separator: ", ")
        let derived = zip(new, values).map { "\($1) AS \($0.quoted)" }.joined(separator: ", ")
        let present = old.map(\.stored).joined(separator: ", ")
        let back = old.map { "(\(backward[$0.name]!))::\($0.type)" }.joined(separator: ", ")
        // In one statement without a join: a row that somebody writes meanwhile is looked at again as it is then.
        return """
            UPDATE \(table.quoted) SET \(assignments)
            WHERE \(marker.quotedIdentifier) = 'o' AND \(violation)
                AND NOT record_image_ne(ROW(\(present)), (SELECT ROW(\(back)) FROM (SELECT \(derived)) AS sluice_row))
            """
    }
}
