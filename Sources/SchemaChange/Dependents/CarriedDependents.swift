/// What a column's dependents become when another column takes its place: built for the new column beside those of the
/// old one, and swapped with them, name for name, when the columns are.
struct CarriedDependents {
    /// One thing that is done in a step of its own, and how it is undone.
    struct Part {
        let name: String
        let title: String
        let lock: String
        let apply: [String]
        let revert: [String]
        /// Instead of statements: an index that is built, or taken away, while others write.
        var index: Step.Action?
        /// Where it is another one than the column's.
        var table: TableName?
        var goesWithContract = false
        /// Of what is for the way back alone: the columns, `schema.table.column`, that must be in the archive for it.
        var needsArchived: [String] = []
    }

    /// An index or constraint by the names that it and its predecessor have before and after Contract.
    private struct Swapped {
        let isConstraint: Bool
        let name: String
        /// Of the new column's, until Contract.
        let interim: String?
        /// Of the old column's, from Contract on; nil where it has none, or it is dropped.
        let archived: String?
        let comment: String?
    }

    let table: TableName
    let token: String
    let old: Column
    let new: Column
    /// What the new column is to have.
    let dependents: ColumnDependents
    /// What the old one has.
    let present: ColumnDependents
    /// Names of those constraints among them that the change adds.
    let added: Set<String>
    /// The default that the new column gets at Contract.
    let newDefault: String?
    let oldDefault: String?
    let successors: Successors
    /// Answers what there is to restate, see ``DependentsProbe/restatedQuery``.
    let restatedQuery: String?

    var interimName: String { new.interim ?? new.name }
    var alter: String { "ALTER TABLE \(table.quoted)" }

    func interim(_ kind: String, _ index: Int) -> String { "sluice_new_\(token)_\(kind)\(index + 1)" }
    func archived(_ kind: String, _ index: Int) -> String { "sluice_archive_\(token)_\(kind)\(index + 1)" }
    func inSchema(_ name: String) -> String { "\(table.schema.quotedIdentifier).\(name.quotedIdentifier)" }

    /// What is made for the new column, for people: names of one table.
    var names: [String] {
        let own = dependents.indexes.map(\.name) + dependents.checks.map(\.name) + ownKeys(dependents).map(\.name)
        return own.map { "\($0) of \(table)" } + present.referring.map { "\($0.name) of \($0.table)" }
    }

    /// The columns at the other ends of foreign keys, `schema.table.column`.
    var tied: [String] {
        present.foreignKeys.flatMap { key in key.referredColumns.map { "\(key.referred).\($0)" } }
            + present.referring.flatMap { key in key.columns.map { "\(key.table).\($0)" } }
    }

    /// The tables at those ends.
    var tiedTables: [TableName] { present.foreignKeys.map(\.referred) + present.referring.map(\.table) }

    // MARK: Before the proof

    /// Indexes, each built beside its users.
    var indexes: [Part] {
        dependents.indexes.enumerated().map { index, found in
            let name = interim("i", index)
            return Part(
                name: "index-\(found.name)",
                title: "building \(found.name) of \(table) for the new \(new.name)",
                lock: "SHARE UPDATE EXCLUSIVE",
                apply: [],
                revert: [],
                index: .buildIndex(
                    ConcurrentIndex(
                        table: table, builtAs: name, isUnique: found.isUnique,
                        definition: String(found.tail.drop(while: \.isWhitespace)))),
                goesWithContract: found.constraint?.isPrimary == true
            )
        }
    }

    // MARK: After it

    /// Constraints, held to from then on, and validated. An index that a constraint takes over is of the constraint's, so
    /// that going back drops both, and the index's own undoing finds nothing.
    var constraints: [Part] {
        let unique = dependents.indexes.enumerated().compactMap { index, found -> Part? in
            guard let constraint = found.constraint, !constraint.isPrimary else { return nil }
            let name = interim("i", index).quotedIdentifier
            return Part(
                name: "unique-\(constraint.name)",
                title: "declaring \(constraint.name) of \(table) for the new \(new.name)",
                lock: "ACCESS EXCLUSIVE",
                apply: ["\(alter) ADD CONSTRAINT \(name) UNIQUE USING INDEX \(name)\(constraint.timing)"],
                revert: ["\(alter) DROP CONSTRAINT IF EXISTS \(name)"]
            )
        }
        let checks = dependents.checks.enumerated().flatMap { index, found in
            parts(of: found.name, interim("c", index), found.definition, isValidated: found.isValidated)
        }
        let foreignKeys = ownKeys(dependents).enumerated().flatMap { index, key in
            parts(of: key.name, interim("f", index), newDefinition(of: key), isValidated: key.isValidated)
        }
        return unique + checks + foreignKeys + referringKeys
    }

    func parts(
        of name: String, _ interim: String, _ definition: String, isValidated: Bool, on other: TableName? = nil
    ) -> [Part] {
        let table = other ?? table
        let alter = "ALTER TABLE \(table.quoted)"
        let add = Part(
            name: "add-\(name)",
            title: "holding \(table) to \(name) for the new \(new.name) from now on",
            lock: "ACCESS EXCLUSIVE",
            apply: ["\(alter) ADD CONSTRAINT \(interim.quotedIdentifier) \(definition) NOT VALID"],
            revert: ["\(alter) DROP CONSTRAINT IF EXISTS \(interim.quotedIdentifier)"],
            table: table,
            goesWithContract: other != nil
        )
        let validate = Part(
            name: "validate-\(name)",
            title: "validating \(name) of \(table) for the new \(new.name)",
            lock: "SHARE UPDATE EXCLUSIVE",
            apply: ["\(alter) VALIDATE CONSTRAINT \(interim.quotedIdentifier)"],
            revert: [],
            table: table,
            goesWithContract: other != nil
        )
        return isValidated ? [add, validate] : [add]
    }

    /// Foreign keys to a column that is replaced are that column's to see to.
    private func ownKeys(_ dependents: ColumnDependents) -> [ColumnDependents.ForeignKey] {
        dependents.foreignKeys.filter { !successors.replaces($0.referredColumns, of: $0.referred) }
    }

    // MARK: At Contract

    /// Before any column changes its name. A foreign key of a column in the archive would go on refusing and cascading, so
    /// it goes; on the way back it is there again before it is validated, in an order that is the opposite of this.
    var unlinking: [Part] {
        let keys = ownKeys(present)
        let validations = keys.filter(\.isValidated).map { key in
            Part(
                name: "revalidate-\(key.name)", title: "leaving \(key.name) of \(key.table) to the new \(new.name)",
                lock: "SHARE UPDATE EXCLUSIVE", apply: [],
                revert: ["ALTER TABLE \(key.table.quoted) VALIDATE CONSTRAINT \(key.name.quotedIdentifier)"],
                table: key.table)
        }
        let drops = keys.map { key in
            let alter = "ALTER TABLE \(key.table.quoted)"
            return Part(
                name: "drop-\(key.name)", title: "taking \(key.name) of \(key.table) off the old \(old.name)",
                lock: "ACCESS EXCLUSIVE",
                apply: ["\(alter) DROP CONSTRAINT \(key.name.quotedIdentifier)"],
                revert: [
                    "\(alter) ADD CONSTRAINT \(key.name.quotedIdentifier) \(key.definition()) NOT VALID"
                ] + comment(onConstraint: key.name, of: key.table, key.comment),
                table: key.table)
        }
        return validations + drops + unlinkingOfReferring
    }

    /// Once the columns have changed names: what is the old column's makes room for what is the new one's.
    var swap: [String] {
        let names = swapped.flatMap { thing in
            (thing.archived.map { [rename(thing, thing.name, $0)] } ?? [])
                + (thing.interim.map { [rename(thing, $0, thing.name)] + comments(of: thing) } ?? [])
        }
        let setDefault = newDefault.map { ["\(alter) ALTER COLUMN \(new.quoted) SET DEFAULT \($0)"] } ?? []
        return names + primaryKey + marks + setDefault + sequence + restated
    }

    /// Before the columns have their old names again.
    var swapBack: [String] {
        let dropDefault = newDefault == nil ? [] : ["\(alter) ALTER COLUMN \(new.quoted) DROP DEFAULT"]
        let names = swapped.reversed().flatMap { thing in
            (thing.interim.map { [rename(thing, thing.name, $0)] } ?? [])
                + (thing.archived.map { [rename(thing, $0, thing.name)] } ?? [])
        }
        return sequenceBack + dropDefault + primaryKeyBack + names
    }

    /// What is made again by its own text, whenever the name has come to mean another column.
    var restated: [String] { dependents.restated.flatMap(\.statements) }

    /// Once the columns have their old names again.
    var afterSwapBack: [String] { oldPrimaryKey + marks + restated }

    private var swapped: [Swapped] {
        let indexes = dependents.indexes.enumerated().compactMap { index, found -> Swapped? in
            guard found.constraint?.isPrimary != true else { return nil }
            return Swapped(
                isConstraint: found.constraint != nil, name: found.constraint?.name ?? found.name,
                interim: interim("i", index), archived: added.contains(found.name) ? nil : archived("i", index),
                comment: found.constraint == nil ? found.comment : found.constraint?.comment)
        }
        let checks = dependents.checks.enumerated().map { index, found in
            Swapped(
                isConstraint: true, name: found.name, interim: interim("c", index),
                archived: added.contains(found.name) ? nil : archived("c", index), comment: found.comment)
        }
        let foreignKeys = ownKeys(dependents).enumerated().map { index, found in
            Swapped(
                isConstraint: true, name: found.name, interim: interim("f", index), archived: nil,
                comment: found.comment)
        }
        let dropped = present.checks.filter { check in !dependents.checks.contains { $0.name == check.name } }
        let droppedChecks = dropped.enumerated().map { index, found in
            Swapped(
                isConstraint: true, name: found.name, interim: nil, archived: archived("d", index),
                comment: nil)
        }
        return droppedChecks + indexes + checks + foreignKeys
    }

    private func rename(_ thing: Swapped, _ from: String, _ to: String) -> String {
        thing.isConstraint
            ? "\(alter) RENAME CONSTRAINT \(from.quotedIdentifier) TO \(to.quotedIdentifier)"
            : "ALTER INDEX \(inSchema(from)) RENAME TO \(to.quotedIdentifier)"
    }

    private func comments(of thing: Swapped) -> [String] {
        guard let comment = thing.comment else { return [] }
        if thing.isConstraint { return self.comment(onConstraint: thing.name, of: table, comment) }
        return ["COMMENT ON INDEX \(inSchema(thing.name)) IS \(comment.quotedLiteral)"]
    }

    func comment(onConstraint name: String, of table: TableName, _ comment: String?) -> [String] {
        guard let comment else { return [] }
        return ["COMMENT ON CONSTRAINT \(name.quotedIdentifier) ON \(table.quoted) IS \(comment.quotedLiteral)"]
    }

    /// The index by which the table is clustered, or its rows are told to subscribers, is that of the column in use.
    var marks: [String] {
        dependents.indexes.flatMap { found in
            (found.isClustered ? ["\(alter) CLUSTER ON \(found.name.quotedIdentifier)"] : [])
                + (found.isReplicaIdentity
                    ? ["\(alter) REPLICA IDENTITY USING INDEX \(found.name.quotedIdentifier)"] : [])
        }
    }
}
