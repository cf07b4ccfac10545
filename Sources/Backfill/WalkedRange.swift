public import PostgreSQL

/// A range of a walk as its checkpoint has it.
public struct WalkedRange: Hashable, Sendable {
    public let span: KeySpan
    public let tally: ChunkTally
    public let isDone: Bool

    /// Those of a walk, in the order of their keys; none where it was never begun, or its checkpoints were removed.
    public static func all(
        of migration: String, walk: Int64, step: String, on connection: PostgresConnection
    ) async throws -> [WalkedRange] {
        try await WalkRanges.stored(
            at: [.text(migration), .integer(walk), .text(step)], on: connection
        ).map { WalkedRange(span: KeySpan(after: $0.lower, upTo: $0.upper), tally: $0.tally, isDone: $0.isDone) }
    }
}
