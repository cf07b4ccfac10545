internal import PostgreSQL
internal import SchemaChange

/// The ranges in which a table is walked: disjoint, covering it, and the same for every worker of one walk.
struct WalkRanges: Sendable {
    let mapping: Mapping
    let place: TableWalk.Place
    let workers: Int

    /// The ranges that an earlier worker pinned, or new ones.
    func pinned(_ connection: PostgresConnection) async throws -> [Checkpoint] {
        let present = try await stored(connection)
        guard present.isEmpty else { return present }
        let keyset = Keyset(mapping)
        let estimate = try await TableSize.estimate(of: mapping.table, on: connection)
        var bounds: [[String]] = []
        if workers > 1, estimate > 10_000 {
            let percent = min(100, max(0.1, 2000.0 * 100 / Double(estimate)))
            let rows = try await connection.query(
                keyset.splitPoints,
                [.integer(Int64(workers)), .text(String(percent))]
            ).rows
            bounds = rows.map { row in row.values.map { $0! } }
        }
        let lowers: [[String]?] = [nil] + bounds
        let uppers: [[String]?] = bounds + [nil]
        // One transaction, so that a worker that dies here leaves all ranges or none.
        try await connection.transaction { connection in
            guard try await !connection.query(Fence.query, fenceValues).rows.isEmpty else {
                throw FenceLost(place.fence)
            }
            for (index, (lower, upper)) in zip(lowers, uppers).enumerated() {
                _ = try await connection.query(
                    """
                    INSERT INTO sluice.checkpoint (migration, walk, step, range, lower, upper)
                    VALUES ($1, $2::bigint, $3, $4::int, $5::text[], $6::text[]) ON CONFLICT DO NOTHING
                    """,
                    [
                        .text(place.fence.migration), .integer(place.walk), .text(place.step), .integer(Int64(index)),
                        lower.map { .textArray($0) } ?? .null, upper.map { .textArray($0) } ?? .null,
                    ]
                )
            }
        }
        return try await stored(connection)
    }

    func stored(_ connection: PostgresConnection) async throws -> [Checkpoint] {
        try await connection.query(
            """
            SELECT \(Checkpoint.columns) FROM sluice.checkpoint
            WHERE migration = $1 AND walk = $2::bigint AND step = $3 ORDER BY range
            """,
            [.text(place.fence.migration), .integer(place.walk), .text(place.step)]
        ).rows.map(Checkpoint.init)
    }

    private var fenceValues: [PostgresValue] {
        [.text(place.fence.migration), .integer(place.fence.epoch)]
    }
}
