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
        /// Instead of statements: an index that is built while others write.
        var index: ConcurrentIndex?
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

    private var interimName: String { new.interim ?? new.name }
    private var alter: String { "ALTER TABLE \(table.quoted)" }

    private func interim(_ kind: String, _ index: Int) -> String { "sluice_new_\(token)_\(kind)\(index + 1)" }
    private func archived(_ kind: String, _ index: Int) -> String { "sluice_archive_\(token)_\(kind)\(index + 1)" }
    private func inSchema(_ name: String) -> String { "\(table.schema.quotedIdentifier).\(name.quotedIdentifier)" }

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
                index: ConcurrentIndex(
                    table: table, builtAs: name, isUnique: found.isUnique,
                    definition: String(found.tail.drop(while: \.isWhitespace)))
            )
        }
    }

    // MARK: After it

    /// Constraints, held to from then on, and validated. An index that a constraint takes over is of the constraint's, so
    /// that going back drops both, and the index's own undoing finds nothing.
    var constraints: [Part] {
        let unique = dependents.indexes.enumerated().compactMap { index, found -> Part? in
            guard let constraint = found.constraint else { return nil }
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
        let foreignKeys = dependents.foreignKeys.enumerated().flatMap { index, found in
            parts(
                of: found.name, interim("f", index), definition(of: found, over: interimName),
                isValidated: found.isValidated)
        }
        return unique + checks + foreignKeys
    }

    private func parts(of name: String, _ interim: String, _ definition: String, isValidated: Bool) -> [Part] {
        let add = Part(
            name: "add-\(name)",
            title: "holding the new \(new.name) of \(table) to \(name) from now on",
            lock: "ACCESS EXCLUSIVE",
            apply: ["\(alter) ADD CONSTRAINT \(interim.quotedIdentifier) \(definition) NOT VALID"],
            revert: ["\(alter) DROP CONSTRAINT IF EXISTS \(interim.quotedIdentifier)"]
        )
        let validate = Part(
            name: "validate-\(name)",
            title: "validating \(name) of \(table) for the new \(new.name)",
            lock: "SHARE UPDATE EXCLUSIVE",
            apply: ["\(alter) VALIDATE CONSTRAINT \(interim.quotedIdentifier)"],
            revert: []
        )
        return isValidated ? [add, validate] : [add]
    }

    private func definition(of key: ColumnDependents.ForeignKey, over column: String) -> String {
        let columns = key.columns.map { ($0 == old.name ? column : $0).quotedIdentifier }
        return "FOREIGN KEY (\(columns.joined(separator: ", ")))\(key.tail)"
    }

    // MARK: At Contract

    /// Before the columns change names. A foreign key of a column in the archive would go on refusing and cascading, so it
    /// goes; on the way back it is there again before it is validated, in an order that is the opposite of this.
    var foreignKeys: [Part] {
        let validations = present.foreignKeys.filter(\.isValidated).map { key in
            Part(
                name: "revalidate-\(key.name)", title: "leaving \(key.name) of \(table) to the new \(new.name)",
                lock: "SHARE UPDATE EXCLUSIVE", apply: [],
                revert: ["\(alter) VALIDATE CONSTRAINT \(key.name.quotedIdentifier)"])
        }
        let drops = present.foreignKeys.map { key in
            Part(
                name: "drop-\(key.name)", title: "taking \(key.name) of \(table) off the old \(old.name)",
                lock: "ACCESS EXCLUSIVE",
                apply: ["\(alter) DROP CONSTRAINT \(key.name.quotedIdentifier)"],
                revert: [
                    "\(alter) ADD CONSTRAINT \(key.name.quotedIdentifier) \(definition(of: key, over: old.name)) NOT VALID"
                ] + comment(onConstraint: key.name, key.comment))
        }
        return validations + drops
    }

    /// Once the columns have changed names: what is the old column's makes room for what is the new one's.
    var swap: [String] {
        let names = swapped.flatMap { thing in
            (thing.archived.map { [rename(thing, thing.name, $0)] } ?? [])
                + (thing.interim.map { [rename(thing, $0, thing.name)] + comments(of: thing) } ?? [])
        }
        let setDefault = newDefault.map { ["\(alter) ALTER COLUMN \(new.quoted) SET DEFAULT \($0)"] } ?? []
        return names + marks + setDefault + restated
    }

    /// Before the columns have their old names again.
    var swapBack: [String] {
        let dropDefault = newDefault == nil ? [] : ["\(alter) ALTER COLUMN \(new.quoted) DROP DEFAULT"]
        let names = swapped.reversed().flatMap { thing in
            (thing.interim.map { [rename(thing, thing.name, $0)] } ?? [])
                + (thing.archived.map { [rename(thing, $0, thing.name)] } ?? [])
        }
        return dropDefault + names + marks
    }

    /// What is made again by its own text, whenever the name has come to mean another column.
    var restated: [String] { dependents.restated.flatMap(\.statements) }

    private var swapped: [Swapped] {
        let indexes = dependents.indexes.enumerated().map { index, found in
            Swapped(
                isConstraint: found.constraint != nil, name: found.constraint?.name ?? found.name,
                interim: interim("i", index), archived: added.contains(found.name) ? nil : archived("i", index),
                comment: found.constraint == nil ? found.comment : found.constraint?.comment)
        }
        let checks = dependents.checks.enumerated().map { index, found in
            Swapped(
                isConstraint: true, name: found.name, interim: interim("c", index),
                archived: added.contains(found.name) ? nil : archived("c", index), comment: found.comment)
        }
        let foreignKeys = dependents.foreignKeys.enumerated().map { index, found in
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
        if thing.isConstraint { return self.comment(onConstraint: thing.name, comment) }
        return ["COMMENT ON INDEX \(inSchema(thing.name)) IS \(comment.quotedLiteral)"]
    }

    private func comment(onConstraint name: String, _ comment: String?) -> [String] {
        guard let comment else { return [] }
        return ["COMMENT ON CONSTRAINT \(name.quotedIdentifier) ON \(table.quoted) IS \(comment.quotedLiteral)"]
    }

    /// The index by which the table is clustered, or its rows are told to subscribers, is that of the column in use.
    private var marks: [String] {
        dependents.indexes.flatMap { found in
            (found.isClustered ? ["\(alter) CLUSTER ON \(found.name.quotedIdentifier)"] : [])
                + (found.isReplicaIdentity
                    ? ["\(alter) REPLICA IDENTITY USING INDEX \(found.name.quotedIdentifier)"] : [])
        }
    }
}
