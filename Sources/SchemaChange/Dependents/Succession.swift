/// One new column takes the place of one old one, and with it what depends on that: where the change that asks for it says
/// what becomes of the constraints and the default.
struct Succession {
    let probe: DependentsProbe
    /// The default that the new column gets at Contract, an SQL expression.
    var newDefault: String?
    /// What the old column is in the archive, see ``Mapping/archivedBackward``.
    var archivedBackward: String?
    var comment: String?
    /// What the UNIQUE constraint is called that it gets.
    var unique: String?
    var references: NewReference?
    /// Constraints of the old column that the new one does not have.
    var dropped: [String] = []

    func carried(
        from old: TableDescription.ColumnDescription, to new: Column, token: String,
        _ answers: [DependentsProbe: ColumnDependents], _ successors: Successors, at path: String
    ) throws(PlanError) -> CarriedDependents? {
        guard var dependents = answers[probe] else { return nil }
        if !dependents.obstacles.isEmpty {
            throw PlanError(
                .dependents, at: path,
                "what depends on column \"\(old.name)\" of \(probe.table) cannot be carried over: "
                    + dependents.obstacles.joined(separator: "; ")
                    + "; drop it first, in a Migration of its own, and make it again afterwards")
        }
        let present = dependents
        try drop(from: &dependents, successors, at: path)
        let interim = new.interim ?? new.name
        if let unique {
            dependents.indexes.append(
                ColumnDependents.Index(
                    name: unique, isUnique: true, tail: " USING btree (\(interim.quotedIdentifier))",
                    constraint: .init(name: unique, isPrimary: false, columns: [old.name], timing: ""),
                    isClustered: false, isReplicaIdentity: false))
        }
        if let references {
            dependents.foreignKeys.append(
                ColumnDependents.ForeignKey(
                    name: references.name, table: probe.table, columns: [old.name],
                    referred: TableName(schema: probe.table.schema, name: references.table),
                    referredColumns: [references.column], options: references.options, isValidated: true))
        }
        let added = [unique, references?.name, probe.newCheck?.name].compactMap { $0 }
        return CarriedDependents(
            table: probe.table, token: token,
            old: old.asColumn, new: new, dependents: dependents,
            present: present, added: Set(added), newDefault: present.sequence?.identity == nil ? newDefault : nil,
            oldDefault: old.defaultExpression, successors: successors, restatedQuery: probe.restatedQuery)
    }

    /// The old column's, where the new one is text as well.
    func collation(of new: NewColumn, after old: TableDescription.ColumnDescription) -> String? {
        let texts = ["text", "char", "character", "varchar", "citext"]
        let isText = texts.contains { new.type.lowercased().hasPrefix($0) } && !new.type.hasSuffix("]")
        return new.type == old.type || isText ? old.collation : nil
    }

    /// What the new column is given as soon as it is there.
    func settings(of new: Column, _ carried: CarriedDependents?) -> [String] {
        let place = "\(probe.table.quoted).\(new.stored)"
        let own = comment.map { ["COMMENT ON COLUMN \(place) IS \($0.isEmpty ? "NULL" : $0.quotedLiteral)"] } ?? []
        return (carried?.dependents.settings ?? []) + own
    }

    private func drop(
        from dependents: inout ColumnDependents, _ successors: Successors, at path: String
    ) throws(PlanError) {
        for name in dropped {
            if dependents.indexes.contains(where: { $0.constraint?.name == name }) {
                throw PlanError(
                    .invalidChange, at: "\(path).dropConstraints",
                    "\"\(name)\" is a unique constraint, which the old version's rows keep as long as it lives; "
                        + "drop it with dropConstraint")
            }
            guard
                dependents.checks.contains(where: { $0.name == name })
                    || dependents.foreignKeys.contains(where: { $0.name == name })
            else {
                throw PlanError(
                    .invalidChange, at: "\(path).dropConstraints",
                    "column \"\(probe.column)\" of \(probe.table) has no constraint \"\(name)\"")
            }
        }
        if let key = dependents.foreignKeys.first(where: {
            dropped.contains($0.name) && successors.replaces($0.referredColumns, of: $0.referred)
        }) {
            throw PlanError(
                .invalidChange, at: "\(path).dropConstraints",
                "\(key.name) refers to a column that is replaced as well; drop it first, with dropConstraint")
        }
        dependents.checks.removeAll { dropped.contains($0.name) }
        dependents.foreignKeys.removeAll { dropped.contains($0.name) }
    }
}
