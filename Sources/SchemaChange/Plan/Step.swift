internal import Foundation

/// One thing that is done for a migration, and how it is undone: the unit of a durable promise.
///
/// A step may be run twice and killed anywhere. Statements of one step run in one transaction, together with the
/// ledger's note that they did.
public struct Step: Codable, Hashable, Sendable {
    public enum Action: Codable, Hashable, Sendable {
        /// `revert` is nil when nobody said how to undo it.
        case statements(apply: [String], revert: [String]?)
        /// Each statement by itself and in no transaction, so each may be run twice. They wait for nobody who writes.
        case concurrently(apply: [String], revert: [String])
        /// Builds an index concurrently, whatever is left of an attempt before. Undoing it takes the index away.
        case buildIndex(ConcurrentIndex)
        /// The opposite of ``buildIndex(_:)``.
        case dropIndex(ConcurrentIndex)
        /// Takes away what is left of an index of a partitioned table that was not finished, forwards and backwards.
        case clearIndex(ConcurrentIndex)
        /// Waits until it is declared that every writer writes both sides: a promise that is settled from outside.
        case declaration
        /// Fills the rows of `mappings[index]` that have no side yet. Undoing it leaves them as they are.
        case backfill(mapping: Int)
        /// Fills the new columns of `columnMoves[index]` with what the old ones hold. Undoing it leaves them as they are.
        case fillMove(Int)
        /// A query that must find nothing; what it finds, one text a row, is told with `message`.
        case check(query: String, message: String)
        /// Compares every row of every mapping, and issues the certificate.
        case verify
    }

    /// Unique in its plan and the same whenever the plan is made: `expand/0/add-columns`. It becomes part of a promise's id,
    /// which is in Unicode's normal form C, as the name of a column need not be.
    public let id: String
    public let phase: Phase
    /// What it does, for people.
    public let title: String
    public let action: Action
    /// The table on which its statements take a lock that others may feel.
    public let table: TableName?
    /// The strongest such lock, as PostgreSQL names it.
    public let lock: String?
    /// A second table that is locked as well, as by a foreign key.
    public let otherTable: TableName?
    /// What ``table`` is called when the step is undone, where that is not the same.
    public let undoneAs: TableName?
    /// Whether it goes when Contract is undone, and is done again on the way back.
    public let goesWithContract: Bool?
    /// Of a step that does nothing forwards: the steps that must be in force for its undoing to do something. It is undone
    /// before all others of its phase.
    public let undoneBefore: [String]?

    public init(
        id: String, phase: Phase, title: String, action: Action, table: TableName? = nil, lock: String? = nil,
        otherTable: TableName? = nil, undoneAs: TableName? = nil, goesWithContract: Bool? = nil,
        undoneBefore: [String]? = nil
    ) {
        self.id = Self.portable(id)
        self.phase = phase
        self.title = title
        self.action = action
        self.table = table
        self.lock = lock
        self.otherTable = otherTable
        self.undoneAs = undoneAs
        self.goesWithContract = goesWithContract
        self.undoneBefore = undoneBefore
    }

    /// What is not in normal form C is written as numbers, so that two names that look the same stay two.
    private static func portable(_ id: String) -> String {
        let composed = id.precomposedStringWithCanonicalMapping
        guard !composed.unicodeScalars.elementsEqual(id.unicodeScalars) else { return id }
        return id.unicodeScalars.reduce(into: "") { result, scalar in
            if scalar.isASCII {
                result.unicodeScalars.append(scalar)
            } else {
                result += "\\u{\(String(scalar.value, radix: 16))}"
            }
        }
    }
}
