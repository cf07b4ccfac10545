/// One old column in the archive. There it may be NULL, whatever it was before: where a new value has no old one, nobody is
/// refused it for the sake of a way back that may never be gone. What is NULL is looked for before that way is gone.
struct ArchivedColumn {
    private let mapping: Mapping
    private let table: TableName
    private let name: String
    private let archived: String
    private let isRequired: Bool
    /// What its NOT NULL is called in the archive, where it has a name.
    private let requirement: String?
    /// The new column whose values it cannot hold all of, where it may be NULL itself.
    private let narrowed: Column?
    /// The key of a row, as SQL.
    private let key: String

    init(
        mapping: Mapping, index: Int, present: TableDescription.ColumnDescription, of table: TableDescription,
        requirements: RequirementNames?, key: String
    ) {
        self.mapping = mapping
        self.table = table.name
        self.key = key
        name = present.name
        archived = Mapping.archivedName(token: mapping.token, index: index)
        // PostgreSQL wants NOT NULL of what identifies rows for subscribers. With a successor that goes over to the other.
        let identifies = table.indexes.contains {
            $0.isReplicaIdentity && $0.columns.contains(present.name) && mapping.archivedBackward == nil
        }
        isRequired = present.notNull && !identifies
        requirement =
            requirements.flatMap { $0.archived(of: mapping.old[index]) } ?? present.requirement
        narrowed = !present.notNull && mapping.archivedBackward?[present.name] != nil ? mapping.new[0] : nil
    }

    private var alter: String { "ALTER TABLE \(table.quoted)" }
    private var watch: String { "sluice_old_\(mapping.token)_c".quotedIdentifier }

    /// Rows that have no old value, an SQL condition; nil where there can be none.
    private var missing: String? {
        if let narrowed {
            // What the old side wrote last had no value then, whatever forward made of that.
            return "\(mapping.marker.quotedIdentifier) = 'n' AND \(archived.quotedIdentifier) IS NULL "
                + "AND \(narrowed.quoted) IS NOT NULL"
        }
        return isRequired ? "\(archived.quotedIdentifier) IS NULL" : nil
    }

    /// Once it has its name in the archive.
    var relax: [String] {
        isRequired ? ["\(alter) ALTER COLUMN \(archived.quotedIdentifier) DROP NOT NULL"] : []
    }

    /// When it leaves it.
    var unwatch: [String] { narrowed == nil ? [] : ["\(alter) DROP CONSTRAINT IF EXISTS \(watch)"] }

    /// What is done on the way back before it leaves the archive: from then on nobody writes what has no old value.
    var forTheWayBack: [CarriedDependents.Part] {
        let parts: [CarriedDependents.Part]
        if let narrowed {
            parts = [
                part(
                    "narrow-validate", "validating that \(name) of \(table) has a value for each of \(narrowed.name)",
                    "SHARE UPDATE EXCLUSIVE", ["\(alter) VALIDATE CONSTRAINT \(watch)"]),
                part(
                    "narrow", "refusing from now on what the old \(name) of \(table) cannot hold", "ACCESS EXCLUSIVE",
                    ["\(alter) ADD CONSTRAINT \(watch) CHECK ((\(missing ?? "")) IS NOT TRUE) NOT VALID"]),
            ]
        } else if isRequired {
            let notNull = NotNull(
                table: table, column: name, interim: archived, token: mapping.token, requirement: requirement)
            parts = notNull.steps.reversed().map { part("un-\($0.name)", $0.title, $0.lock, $0.apply) }
        } else {
            parts = []
        }
        return parts
    }

    private func part(_ name: String, _ title: String, _ lock: String, _ revert: [String]) -> CarriedDependents.Part {
        CarriedDependents.Part(
            name: name, title: title, lock: lock, apply: [], revert: revert, needsArchived: ["\(table).\(self.name)"])
    }

    /// Finds the rows that keep the way back from being gone.
    var check: Step.Action? {
        guard let missing else { return nil }
        return .check(
            query: "SELECT \(key) FROM \(table.quoted) AS \(PlanBuilder.keyAlias) WHERE \(missing) LIMIT 5",
            message: "rows of \(table) have no value for the old \(name): delete them or give them another "
                + "\(mapping.new.map(\.name).joined(separator: ", ")), or stay at Contract: keys"
        )
    }
}
