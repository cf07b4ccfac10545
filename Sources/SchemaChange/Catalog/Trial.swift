/// A question to PostgreSQL about a change, asked before a plan is made: a statement that it must accept, on scratch copies
/// of the tables, in a transaction that is rolled back.
public struct Trial: Hashable, Sendable {
    /// Where in the changes an error belongs.
    public let path: String
    /// Makes what the statement needs.
    public let setUp: [String]
    public let statement: String

    static let scratch = ExpressionCheck.scratch
    /// A copy of the table to which a foreign key refers.
    static let scratchOfReferred = "sluice_scratch_referred"
}
