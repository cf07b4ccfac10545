internal import Backfill
internal import PostgreSQL
internal import SchemaChange

/// One walk of a verification: over a table with two sides, or over one whose columns go to another.
struct ComparedWalk: Sendable {
    /// `0` for the plan's first mapping, `move-0` for the first move of columns, and so on.
    let name: String
    let statement: ChunkStatement
    let table: TableName

    /// Under what its checkpoints are kept.
    var checkpoints: String { "\(Plan.verification)/\(name)" }
}

extension Plan {
    /// The id of the step that compares.
    static let verification = "backfill/verify"

    /// All that is compared before there is a proof.
    var compared: [ComparedWalk] {
        mappings.enumerated().map { ComparedWalk(name: "\($0)", statement: .compare($1), table: $1.table) }
            + columnMoves.enumerated().map {
                ComparedWalk(name: "move-\($0)", statement: .move($1, .compare), table: $1.table)
            }
    }

    /// What the checkpoints of a verification say, as a certificate has it: of `walk`, or of the last one that has any. Nil of
    /// one that is not at its end.
    func comparedRanges(
        of migration: String, walk: Int64?, on connection: PostgresConnection
    ) async throws -> [Certificate.Range]? {
        let walks = compared
        let last = walk == nil ? try await Self.lastVerification(of: migration, on: connection) : walk
        guard let walk = last else { return [] }
        var ranges: [Certificate.Range] = []
        for compared in walks {
            let walked = try await WalkedRange.all(
                of: migration, walk: walk, step: compared.checkpoints, on: connection)
            guard walked.allSatisfy({ $0.isDone && $0.tally.mismatches == 0 }) else { return nil }
            ranges += Certificate.Range.of(walked, compared, limit: Certificate.Range.limit / walks.count)
        }
        return ranges
    }

    /// The number of the last walk that compared anything.
    private static func lastVerification(
        of migration: String, on connection: PostgresConnection
    ) async throws -> Int64? {
        let row = try await connection.query(
            "SELECT max(walk) AS walk FROM sluice.checkpoint WHERE migration = $1 AND step LIKE $2 || '/%'",
            [.text(migration), .text(verification)]
        ).row()
        return row["walk"] == nil ? nil : try row.integer("walk")
    }
}
