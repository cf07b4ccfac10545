internal import Crypto
internal import Foundation

/// Everything that a migration will do, rendered before it begins and pinned in the ledger: a spec that changes later
/// changes nothing of it, and what was done is undone by the plan that did it.
public struct Plan: Codable, Hashable, Sendable {
    /// Over the changes and the database that they are for: binds promises, proof and stamps. `sha256:…`.
    public let hash: String
    public let changes: [Change]
    public let mappings: [Mapping]
    /// In the order in which they are applied; they are undone in the opposite one.
    public let steps: [Step]
    /// What makes Contract final once `keepFor` is over: the archive goes.
    public let purge: [Step]
    /// Makes all triggers again, without touching markers or rows; nil where there are none. As if nothing were in the
    /// archive: ``repair(whenApplied:filled:)`` knows what is.
    let repair: Step?
    /// What is looked for before Contract is undone, as long as the step of that name is in force: rows that keep it from
    /// being undone.
    public let wayBack: [Step]?
    /// See ``repair``; nil for none, and where nobody knows.
    var archivedRepairs: [ArchivedRepair]?
    /// The columns that are NOT NULL again once Expand is undone; nil for none.
    public var requiredAgain: [RequiredAgain]?
    /// What was known to depend on the columns that others take the place of.
    public let known: [KnownDependents]?
    /// The tables that have triggers of its own, and the tokens in those triggers' names.
    public let guardedTables: [TableName]
    public let tokens: [String]
    /// Every table that it touches.
    public let tables: [TableName]
    /// The columns, `schema.table.column`, that its triggers write or Contract takes away.
    public let writes: [String]
    /// The columns that its triggers read, and those that they write.
    public let touches: [String]
    /// The schema of versioned views that it makes.
    public var viewSchema: String?
    /// The columns over which there is an index, a check or a key together with one that it replaces; nil for none.
    public var shared: [String]?
    /// The columns that refer to one that it replaces, or that such a one refers to; nil for none.
    public var tied: [String]?
    /// The tables that it takes away or calls otherwise; nil for none.
    public var wholeTables: [TableName]?
    /// The columns that go to another table; nil for none.
    public var moves: [ColumnMove]?

    public var columnMoves: [ColumnMove] { moves ?? [] }

    /// Between these two, as bytes, are the names of all triggers that run between the first of ours and the last.
    public static let firstTriggerName = DualWriteTriggers.firstName + "_3"
    public static let lastTriggerName = DualWriteTriggers.lastName

    /// The steps of `phase`, in order.
    public func steps(of phase: Phase) -> [Step] {
        steps.filter { $0.phase == phase }
    }

    /// What tells this plan from another: its changes, who writes both sides, and the schema and database.
    public static func hash(
        changes: [Change], writer: DualWriter = .database, views: Bool = false, schema: String, database: String
    ) -> String {
        struct Identity: Encodable {
            let changes: [Change]
            /// Left out where it is the database.
            let dualWrite: DualWriter?
            /// Left out where there are none.
            let views: Bool?
            let schema: String
            let database: String
        }
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        let identity = Identity(
            changes: changes, dualWrite: writer == .database ? nil : writer, views: views ? true : nil, schema: schema,
            database: database)
        // Encoding values of strings, lists and booleans cannot fail.
        let data = try! encoder.encode(identity)
        return "sha256:" + SHA256.hash(data: data).hexadecimal
    }

    /// The plan of changes that a database has already: there is nothing to do, and nothing to undo.
    public static func nothing(to changes: [Change], hash: String, schema: String) -> Plan {
        let tables = Set(changes.flatMap(\.tables)).sorted().map { TableName(schema: schema, name: $0) }
        return Plan(
            hash: hash, changes: changes, mappings: [], steps: [], purge: [], repair: nil, wayBack: nil, known: nil,
            guardedTables: [], tokens: [], tables: tables, writes: [], touches: [])
    }

    /// Tells the objects of one change in the database from those of others. Eight hexadecimal digits.
    static func token(migration: String, index: Int) -> String {
        String(SHA256.hash(data: Data("\(migration)#\(index)".utf8)).hexadecimal.prefix(8))
    }
}

extension SHA256Digest {
    fileprivate var hexadecimal: String {
        map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }.joined()
    }
}
