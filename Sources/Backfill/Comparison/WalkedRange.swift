public import PostgreSQL

/// A range of a walk as its checkpoint has it.
public struct WalkedRange: Hashable, Sendable {
    public let span: RowSpan
    public let tally: ChunkTally
    public let isDone: Bool

    /// Those of a walk, in their order; none where it was never begun, or its checkpoints were removed.
    public static func all(
        of migration: String, walk: Int64, step: String, on connection: PostgresConnection
    ) async throws -> [WalkedRange] {
        try await WalkRanges.stored(
            at: [.text(migration), .integer(walk), .text(step)], on: connection
        ).map { WalkedRange(span: $0.span, tally: $0.tally, isDone: $0.isDone) }
    }
}
