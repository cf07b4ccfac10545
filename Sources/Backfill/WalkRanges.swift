internal import PostgreSQL
internal import SchemaChange

/// The ranges in which a table is walked: disjoint, covering it, and the same for every worker of one walk.
struct WalkRanges: Sendable {
    let mapping: Mapping
    let place: TableWalk.Place
    let workers: Int

    /// Fewer pages are not worth a range of their own.
    private static let fewestPages: Int64 = 64
    /// So many ranges of pages for each worker, so that none is long idle at the end.
    private static let rangesPerWorker: Int64 = 8

    private struct Range {
        var file: HeapFile?
        var lower: [String]?
        var upper: [String]?
        /// Where it stands before its first chunk, as far as that has to be known.
        var position: [String]?
    }

    /// The ranges that an earlier worker pinned, or new ones. By pages: new ones for every file that is not the one that
    /// was pinned, and for partitions that have come since.
    ///
    /// - Parameter files: of the table; nil where it is walked by keys.
    func pinned(_ files: [FoundHeapFile]?, on connection: PostgresConnection) async throws -> [Checkpoint] {
        let present = try await stored(connection)
        guard let files else {
            if present.allSatisfy({ $0.file == nil }), Self.areWhole(present) { return present }
            return try await pin(try await keyRanges(connection), replacing: [], on: connection)
        }
        let byFile = Dictionary(grouping: present, by: \.file)
        // Of one of which a range was deleted nobody knows what was done: it is as good as not there.
        let known = Set(byFile.compactMap { file, ranges in Self.areWhole(ranges) ? file : nil })
        let new = files.filter { !known.contains($0.file) }
        let kept = files.map(\.file).filter(known.contains)
        guard !new.isEmpty || kept.count < byFile.count else { return present }
        let pages = files.reduce(0) { $0 + $1.pages }
        let length = max(Self.fewestPages, (pages - 1) / (Int64(workers) * Self.rangesPerWorker) + 1)
        return try await pin(
            new.flatMap { Self.ranges(of: $0, length: length) }, replacing: kept, on: connection)
    }

    /// Whether ranges of one file, or of keys, follow one another from the beginning to the end, and leave nothing out.
    static func areWhole(_ ranges: [Checkpoint]) -> Bool {
        RowSpan.areWhole(ranges.map(\.span))
    }

    /// The last one has no end.
    private static func ranges(of found: FoundHeapFile, length: Int64) -> [Range] {
        let starts = Array(stride(from: 0, to: max(1, found.pages), by: Int(length)))
        return starts.enumerated().map { index, start in
            let next = index + 1 < starts.count ? starts[index + 1] : nil
            return Range(
                file: found.file, lower: [String(start)], upper: next.map { [String($0)] },
                position: next == nil ? PagedPosition(page: start, of: found.pages, isOpen: true).stored : nil)
        }
    }

    private func keyRanges(_ connection: PostgresConnection) async throws -> [Range] {
        let estimate = try await TableSize.estimate(of: mapping.table, on: connection)
        var bounds: [[String]] = []
        if workers > 1, estimate > 10_000 {
            let percent = min(100, max(0.1, 2000.0 * 100 / Double(estimate)))
            let rows = try await connection.query(
                Keyset(mapping).splitPoints,
                [.integer(Int64(workers)), .text(String(percent))]
            ).rows
            bounds = rows.map { row in row.values.map { $0! } }
        }
        return zip([nil] + bounds, bounds + [nil]).map { Range(lower: $0, upper: $1) }
    }

    /// One transaction, so that a worker that dies here leaves all ranges or none.
    ///
    /// - Parameter kept: the files whose ranges stay. All others go.
    private func pin(
        _ ranges: [Range], replacing kept: [HeapFile], on connection: PostgresConnection
    ) async throws -> [Checkpoint] {
        try await connection.transaction { connection in
            guard try await !connection.query(Fence.query, fenceValues).rows.isEmpty else {
                throw FenceLost(place.fence)
            }
            _ = try await connection.query(
                """
                DELETE FROM sluice.checkpoint WHERE migration = $1 AND walk = $2::bigint AND step = $3
                    AND NOT coalesce((relation || '/' || filenode) = ANY ($4::text[]), false)
                """,
                placeValues + [.textArray(kept.map(\.rawValue))])
            let last = try await connection.query(
                """
                SELECT coalesce(max(range), -1) AS last FROM sluice.checkpoint
                WHERE migration = $1 AND walk = $2::bigint AND step = $3
                """, placeValues
            ).row().integer("last")
            for (index, range) in ranges.enumerated() {
                _ = try await connection.query(
                    """
                    INSERT INTO sluice.checkpoint (migration, walk, step, range, lower, upper, relation, filenode, "position", digest)
                    VALUES ($1, $2::bigint, $3, $4::int, $5::text[], $6::text[], $7::oid, $8::oid, $9::text[], 0) ON CONFLICT DO NOTHING
                    """,
                    placeValues + [
                        .integer(last + 1 + Int64(index)), range.lower.map { .textArray($0) } ?? .null,
                        range.upper.map { .textArray($0) } ?? .null, .optional(range.file?.relation),
                        .optional(range.file?.filenode), range.position.map { .textArray($0) } ?? .null,
                    ]
                )
            }
        }
        return try await stored(connection)
    }

    func stored(_ connection: PostgresConnection) async throws -> [Checkpoint] {
        try await Self.stored(at: placeValues, on: connection)
    }

    /// - Parameter place: migration, walk, step.
    static func stored(at place: [PostgresValue], on connection: PostgresConnection) async throws -> [Checkpoint] {
        try await connection.query(
            """
            SELECT \(Checkpoint.columns) FROM sluice.checkpoint
            WHERE migration = $1 AND walk = $2::bigint AND step = $3 ORDER BY range
            """,
            place
        ).rows.map(Checkpoint.init)
    }

    private var placeValues: [PostgresValue] {
        [.text(place.fence.migration), .integer(place.walk), .text(place.step)]
    }

    private var fenceValues: [PostgresValue] {
        [.text(place.fence.migration), .integer(place.fence.epoch)]
    }
}
