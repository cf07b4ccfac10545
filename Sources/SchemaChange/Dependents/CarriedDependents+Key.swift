/// What a column is that identifies rows: part of the primary key, referred to by foreign keys, numbered by a sequence.
extension CarriedDependents {
    // MARK: Foreign keys that refer to it

    private func interimReference(_ index: Int) -> String { interim("r", index) }

    /// To the new column, beside those to the old one.
    var referringKeys: [Part] {
        present.referring.enumerated().flatMap { index, key in
            parts(
                of: key.name, interimReference(index), newDefinition(of: key), isValidated: key.isValidated,
                on: key.table)
        }
    }

    /// Once all columns have changed their names, what refers to the new one takes the names of what referred to the old.
    /// On the way back it goes, since the new primary key does, and is made again.
    var linking: [Part] {
        present.referring.enumerated().map { index, key in
            let alter = "ALTER TABLE \(key.table.quoted)"
            return Part(
                name: "link-\(key.name)", title: "giving \(key.name) of \(key.table) to the new \(new.name)",
                lock: "ACCESS EXCLUSIVE",
                apply: [
                    "\(alter) RENAME CONSTRAINT \(interimReference(index).quotedIdentifier) TO \(key.name.quotedIdentifier)"
                ] + comment(onConstraint: key.name, of: key.table, key.comment),
                revert: ["\(alter) DROP CONSTRAINT IF EXISTS \(key.name.quotedIdentifier)"],
                table: key.table)
        }
    }

    /// As it is while both columns stand beside each other.
    func newDefinition(of key: ColumnDependents.ForeignKey) -> String {
        key.definition(
            columns: successors.interims(of: key.columns, in: key.table),
            referredColumns: successors.interims(of: key.referredColumns, in: key.referred))
    }

    /// Before the columns change names, what refers to the old one goes: it is in the way of the primary key's. On the way
    /// back it is there already under another name, see ``forTheWayBack``, unless Contract was left half way.
    var unlinkingOfReferring: [Part] {
        present.referring.enumerated().flatMap { index, key -> [Part] in
            let alter = "ALTER TABLE \(key.table.quoted)"
            let name = key.name.quotedIdentifier
            let validate = Part(
                name: "revalidate-\(key.name)", title: "leaving \(key.name) of \(key.table) to the new \(new.name)",
                lock: "SHARE UPDATE EXCLUSIVE", apply: [], revert: ["\(alter) VALIDATE CONSTRAINT \(name)"],
                table: key.table)
            let again = """
                BEGIN
                    IF EXISTS (SELECT FROM pg_constraint WHERE conname = \(oldReference(index).quotedLiteral)
                        AND conrelid = \(key.table.quoted.quotedLiteral)::regclass)
                    THEN
                        \(alter) RENAME CONSTRAINT \(oldReference(index).quotedIdentifier) TO \(name);
                    ELSE
                        \(alter) ADD CONSTRAINT \(name) \(key.definition()) NOT VALID;
                    END IF;
                END
                """
            let drop = Part(
                name: "drop-\(key.name)", title: "taking \(key.name) of \(key.table) off the old \(old.name)",
                lock: "ACCESS EXCLUSIVE",
                apply: ["\(alter) DROP CONSTRAINT \(name)"],
                revert: ["DO \(again.quotedLiteral)"] + comment(onConstraint: key.name, of: key.table, key.comment),
                table: key.table)
            return key.isValidated ? [validate, drop] : [drop]
        }
    }

    private func oldReference(_ index: Int) -> String { "sluice_old_\(token)_r\(index + 1)" }

    /// Steps that do nothing forwards, and on the way back are the first, in the opposite of this order: the old column
    /// becomes a key again in the archive, which the writes of the new version reach; what refers to it is in force again; and
    /// only then does what refers to the new one go.
    var forTheWayBack: [Part] {
        let here = "\(table).\(old.name)"
        let references = present.referring.enumerated().map { index, key -> [Part] in
            let alter = "ALTER TABLE \(key.table.quoted)"
            let name = oldReference(index).quotedIdentifier
            let title = "leaving \(key.name) of \(key.table) to the new \(new.name)"
            let definition = key.definition(
                columns: successors.archived(key.columns, of: key.table),
                referredColumns: successors.archived(key.referredColumns, of: key.referred))
            let archived =
                successors.replaced(key.columns, of: key.table)
                + successors.replaced(key.referredColumns, of: key.referred)
            // Of one that has its final name already, its own step sees to that.
            let release = Part(
                name: "release-\(key.name)", title: title, lock: "ACCESS EXCLUSIVE", apply: [],
                revert: ["\(alter) DROP CONSTRAINT IF EXISTS \(interimReference(index).quotedIdentifier)"],
                table: key.table, needsArchived: [here])
            let validate = Part(
                name: "validate-old-\(key.name)", title: title, lock: "SHARE UPDATE EXCLUSIVE", apply: [],
                revert: ["\(alter) VALIDATE CONSTRAINT \(name)"], table: key.table, needsArchived: archived)
            let add = Part(
                name: "restore-\(key.name)", title: title, lock: "ACCESS EXCLUSIVE", apply: [],
                revert: ["\(alter) ADD CONSTRAINT \(name) \(definition) NOT VALID"], table: key.table,
                needsArchived: archived)
            return key.isValidated ? [release, validate, add] : [release, add]
        }
        return references.flatMap(\.self)
            + archiveParts.map { part in
                var part = part
                part.needsArchived = [here]
                return part
            }
    }

    // MARK: The primary key

    private var primary: (place: Int, index: ColumnDependents.Index, constraint: ColumnDependents.Constraint)? {
        dependents.indexes.enumerated().lazy.compactMap { place, index in
            index.constraint.flatMap { $0.isPrimary ? (place, index, $0) : nil }
        }.first
    }

    /// The index by which the old column becomes the primary key again.
    private var oldIndex: String { "sluice_old_\(token)_i" }
    private var archivedName: String { Mapping.archivedName(token: token, index: 0) }

    private func primaryKey(_ name: String, using index: String, _ constraint: ColumnDependents.Constraint) -> [String]
    {
        [
            "\(alter) ADD CONSTRAINT \(name.quotedIdentifier) PRIMARY KEY USING INDEX "
                + "\(index.quotedIdentifier)\(constraint.timing)"
        ] + comment(onConstraint: name, of: table, constraint.comment)
    }

    /// A table has one, so that of the old column goes. What stands in the archive may be NULL then: there is no old value
    /// of a number that is too large for it.
    var primaryKey: [String] {
        guard let primary else { return [] }
        let name = primary.constraint.name
        return ["\(alter) DROP CONSTRAINT \(name.quotedIdentifier)"]
            + primaryKey(name, using: interim("i", primary.place), primary.constraint)
    }

    var primaryKeyBack: [String] {
        primary.map { ["\(alter) DROP CONSTRAINT \($0.constraint.name.quotedIdentifier)"] } ?? []
    }

    var oldPrimaryKey: [String] {
        primary.map { primaryKey($0.constraint.name, using: oldIndex, $0.constraint) } ?? []
    }

    /// The index for the old column is built beside its users.
    var archiveParts: [Part] {
        guard let primary else { return [] }
        let columns = primary.constraint.columns.map { ($0 == old.name ? archivedName : $0).quotedIdentifier }
        let index = Part(
            name: "old-index", title: "leaving \(primary.constraint.name) of \(table) to the new \(new.name)",
            lock: "SHARE UPDATE EXCLUSIVE", apply: [], revert: [],
            index: .dropIndex(
                ConcurrentIndex(
                    table: table, builtAs: oldIndex, isUnique: true,
                    definition: "USING btree (\(columns.joined(separator: ", ")))")))
        return [index]
    }

    // MARK: What numbers its rows

    /// A sequence of the table goes over to the new column; an identity's cannot, so the new column gets one that goes on
    /// where that stood.
    var sequence: [String] {
        guard let sequence = present.sequence else { return [] }
        let archived = archivedName.quotedIdentifier
        if let identity = sequence.identity {
            let aside = TableName(schema: sequence.name.schema, name: "sluice_archive_\(token)_s")
            return move(sequence, identity, from: archived, to: new.quoted, aside: aside)
        }
        return ["\(alter) ALTER COLUMN \(archived) DROP DEFAULT"]
            + hand(sequence, to: new.quoted, as: new.type)
    }

    /// While the old column is called as in the archive.
    var sequenceBack: [String] {
        guard let sequence = present.sequence else { return [] }
        let archived = archivedName.quotedIdentifier
        if let identity = sequence.identity {
            let aside = TableName(schema: sequence.name.schema, name: "sluice_new_\(token)_s")
            return move(sequence, identity, from: new.quoted, to: archived, aside: aside)
        }
        let restore = oldDefault.map { ["\(alter) ALTER COLUMN \(archived) SET DEFAULT \($0)"] } ?? []
        return hand(sequence, to: archived, as: sequence.type) + restore
    }

    /// Finds out whether the sequence stands where the old column's type ends. Whoever sets it back gives numbers again that
    /// were given out since, so that is for a person to say.
    var wayBack: Step.Action? {
        let bounds = ["smallint": "-32768 AND 32767", "integer": "-2147483648 AND 2147483647"]
        guard let sequence = present.sequence, let bound = bounds[sequence.type] else { return nil }
        let name = sequence.name.quoted
        return .check(
            query: "SELECT last_value::text FROM \(name) WHERE last_value NOT BETWEEN \(bound)",
            message:
                "sequence \(sequence.name) stands beyond \(sequence.type), so it cannot number the old \(old.name); set it "
                + "back by SELECT setval(\(name.quotedLiteral), (SELECT coalesce(max(\(new.quoted)), 1) FROM "
                + "\(table.quoted))), which gives out again the numbers of rows that are gone, or stay at Contract: at"
        )
    }

    private func hand(_ sequence: ColumnDependents.Sequence, to column: String, as type: String) -> [String] {
        let numbers = ["smallint", "integer", "bigint"]
        let isRetyped = old.type != new.type && numbers.contains(type)
        return ["ALTER SEQUENCE \(sequence.name.quoted) OWNED BY \(table.quoted).\(column)"]
            + (isRetyped ? ["ALTER SEQUENCE \(sequence.name.quoted) AS \(type)"] : [])
    }

    private func move(
        _ sequence: ColumnDependents.Sequence, _ identity: String, from: String, to: String, aside: TableName
    ) -> [String] {
        let name = sequence.name
        return [
            "ALTER SEQUENCE \(name.quoted) RENAME TO \(aside.name.quotedIdentifier)",
            "\(alter) ALTER COLUMN \(to) ADD GENERATED \(identity) AS IDENTITY "
                + "(SEQUENCE NAME \(name.quoted)\(sequence.options))",
            "SELECT setval(\(name.quoted.quotedLiteral), last_value, is_called) FROM \(aside.quoted)",
            "\(alter) ALTER COLUMN \(from) DROP IDENTITY",
        ]
    }
}

extension ColumnDependents.ForeignKey {
    func definition(columns: [String]? = nil, referredColumns: [String]? = nil) -> String {
        func list(_ names: [String]) -> String { names.map(\.quotedIdentifier).joined(separator: ", ") }
        return "FOREIGN KEY (\(list(columns ?? self.columns))) REFERENCES \(referred.quoted) "
            + "(\(list(referredColumns ?? self.referredColumns)))\(options)"
    }
}
