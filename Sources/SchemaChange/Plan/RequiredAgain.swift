/// A column that is NOT NULL, and that anybody may leave NULL from Expand on. Going back further needs its values: rows without
/// one are looked for before anything is undone.
public struct RequiredAgain: Codable, Hashable, Sendable {
    /// The step whose undoing refuses NULL from then on.
    public let step: String
    public let table: TableName
    public let column: String
    /// Where Contract takes it into the archive: the step that does, and what it is called there.
    public let archive: String?
    public let archived: String?
    /// The new column whose values go there as well, for people; nil where nothing does.
    let source: String?
    /// The key of a row, as SQL.
    let key: String

    /// What the column is called now.
    ///
    /// - Parameter applied: the ids of the steps that are in force.
    public func name(whenApplied applied: Set<String>) -> String {
        guard let archive, let archived, applied.contains(archive) else { return column }
        return archived
    }

    /// Finds the rows that keep the way back from being gone: the key of each as text, and what is told with them.
    public func check(whenApplied applied: Set<String>) -> (query: String, message: String) {
        let name = name(whenApplied: applied)
        let place = name == column ? "" : source.map { " in \($0)" } ?? " in \(name), as it is called in the archive"
        return (
            "SELECT \(key) FROM \(table.quoted) AS \(PlanBuilder.keyAlias) WHERE \(name.quotedIdentifier) IS NULL LIMIT 5",
            "rows of \(table) have no value for \(column), which is NOT NULL without this Migration: give them one\(place), "
                + "or delete them, or go back no further than Expand: keys"
        )
    }
}

extension PlanBuilder {
    static let keyAlias = "sluice_row"

    /// The key of a row of `table`, which is called ``keyAlias``, as one text: whichever name a column of it has at the time.
    func keyText(of table: TableDescription) -> String {
        guard !table.key.isEmpty else { return "'some row'" }
        let columns = table.key.map { name -> String in
            let names = changes.compactMap { change -> String? in
                guard case .renameColumn(let rename) = change, rename.table == table.name.name, rename.column == name
                else { return nil }
                return rename.to
            }
            guard let new = names.first else { return "\(Self.keyAlias).\(name.quotedIdentifier)" }
            let row = "to_jsonb(\(Self.keyAlias))"
            return "coalesce(\(row) ->> \(new.quotedLiteral), \(row) ->> \(name.quotedLiteral))"
        }
        return "concat_ws(', ', \(columns.joined(separator: ", ")))"
    }
}
