/// Drops a constraint at Expand, so that the new version may write what it forbade.
///
/// Undoing it restores the constraint, for what is written from then on and, if it was valid, for the rows that are there:
/// `CHECK` and foreign keys by a validation, a unique or primary key by an index that is built concurrently.
public struct DropConstraint: Codable, Hashable, Sendable, ChangeKind {
    public var table: String
    public var name: String
    /// Whether the table may be locked, on the way back, for as long as an exclusion constraint takes.
    public var lockTable: Bool?

    public init(table: String, name: String, lockTable: Bool? = nil) {
        self.table = table
        self.name = name
        self.lockTable = lockTable
    }

    var tables: [String] { [table] }

    func flaws(at path: String) -> [PlanError] {
        []
    }

    func plan(into builder: inout PlanBuilder, at path: String) throws(PlanError) {
        let description = try builder.catalog.table(table, at: path)
        let constraint = try description.requireConstraint(name, at: "\(path).name")
        // On the way back it would be taken for a part of this one.
        if let key = constraint.meaning { try description.requireNoneLike(key, at: "\(path).name") }
        let index = description.indexes.first { $0.constraint == name }
        if let index { try builder.requireUnneeded(index, of: description, at: path) }
        switch constraint.kind {
        case "u", "p":
            builder.removeKey(
                .expand, "constraint", title, constraint, index!, of: description, token: builder.token)
        case "x" where !description.isSmall && lockTable != true:
            throw PlanError(
                .wouldLock, at: path,
                "there would be no way back: PostgreSQL adds an exclusion constraint only with a look at all of "
                    + "\(description.name) (\(description.bytes >> 20) MiB) under a lock that stops reads and writes; say "
                    + "lockTable: true if they may be stopped then")
        default: planOther(into: &builder, description, constraint, index)
        }
    }

    private var title: String { "dropping \(name) of \(table)" }

    private func planOther(
        into builder: inout PlanBuilder, _ description: TableDescription,
        _ constraint: TableDescription.Constraint, _ index: TableDescription.Index?
    ) {
        builder.addDropped(
            constraint, of: description, in: .expand, title: title,
            extras: index?.extras(of: description.name) ?? [])
    }
}

extension PlanBuilder {
    /// Drops a unique or primary key. It comes back by an index that is built while others write.
    ///
    /// - Parameter token: what the index is called by until it is built.
    mutating func removeKey(
        _ phase: Phase, _ word: String, _ title: String, _ constraint: TableDescription.Constraint,
        _ index: TableDescription.Index, of table: TableDescription, token: String
    ) {
        let deferral = constraint.isDeferred ? References.Deferral.deferred : .immediate
        removeIndex(
            phase, word, title,
            .constraint(
                constraint.name, constraint.kind == "p" ? "PRIMARY KEY" : "UNIQUE", of: table.name, token: token,
                definition: index.definition, deferral: constraint.isDeferrable ? deferral.sql : "",
                tablespace: index.tablespace,
                extras: constraint.extras(of: table.name) + index.extras(of: table.name)),
            lock: "ACCESS EXCLUSIVE")
    }

    /// Drops a constraint that is not a key. It comes back in two transactions: for what is written, then for the rows.
    mutating func addDropped(
        _ constraint: TableDescription.Constraint, of description: TableDescription, in phase: Phase, title: String,
        word: String = "constraint", extras: [String] = []
    ) {
        if constraint.kind == "f",
            let key = PartitionedForeignKey(constraint.name, constraint.definition, of: description)
        {
            return addDropped(key, constraint, in: phase, title: title, word: word)
        }
        let table = description.name
        let alter = "ALTER TABLE \(table.quoted)"
        let name = constraint.name.quotedIdentifier
        let isExclusion = constraint.kind == "x"
        if constraint.isValidated, !isExclusion {
            add(
                phase, "\(word)-validate", "validating \(constraint.name) of \(table), once it comes back",
                table: table,
                otherTable: constraint.references, apply: [], revert: ["\(alter) VALIDATE CONSTRAINT \(name)"])
        }
        let restore = "\(alter) ADD CONSTRAINT \(name) \(constraint.definition)\(isExclusion ? "" : " NOT VALID")"
        add(
            phase, "\(word)-drop", title, table: table, otherTable: constraint.references,
            apply: ["\(alter) DROP CONSTRAINT \(name)"],
            revert: [restore]
                + (constraint.kind == "f" && description.isPartitioned
                    ? [PartitionedForeignKey.refuseOthers(constraint.name, of: table)] : [])
                + constraint.extras(of: table) + extras)
    }

    /// The same in each partition: the first of these is undone last.
    private mutating func addDropped(
        _ key: PartitionedForeignKey, _ constraint: TableDescription.Constraint, in phase: Phase, title: String,
        word: String
    ) {
        let (table, referred) = (key.table, constraint.references)
        add(
            phase, "\(word)-drop", title, table: table, otherTable: referred,
            apply: ["ALTER TABLE \(table.quoted) DROP CONSTRAINT \(key.name.quotedIdentifier)"],
            revert: key.add + constraint.extras(of: table))
        add(
            phase, "\(word)-validate", "validating \(key.name) in each partition of \(table), once it comes back",
            table: table, otherTable: referred, apply: [], revert: [key.validateEach])
        add(
            phase, "\(word)-parts", "taking what is left of \(key.name) off the partitions of \(table)",
            table: table, otherTable: referred, apply: [key.dropFromEach], revert: [key.addToEach])
    }
}

extension TableDescription {
    func requireConstraint(_ name: String, at path: String) throws(PlanError) -> Constraint {
        if let constraint = constraint(name) { return constraint }
        let names = constraints.map(\.name).joined(separator: ", ")
        throw PlanError(
            .invalidChange, at: path,
            "\(self.name) has no constraint \"\(name)\"; it has \(names.isEmpty ? "none" : names). NOT NULL goes by alterColumn"
        )
    }
}

extension TableDescription.Constraint {
    /// What brings back besides its definition.
    func extras(of table: TableName) -> [String] {
        comment.map {
            ["COMMENT ON CONSTRAINT \(name.quotedIdentifier) ON \(table.quoted) IS \($0.quotedLiteral)"]
        } ?? []
    }
}
