internal import PostgreSQL
internal import SchemaChange

/// One range of a walk by pages, from where it stands to its end.
struct PagedRange {
    let runner: ChunkRunner
    let checkpoint: Checkpoint
    let file: FoundHeapFile
    let chunkDuration: Duration
    let turn: ChunkTurn
    /// About how many rows a page has, so that the progress of a walk can be told that counts only what it changes.
    let rowsPerPage: Double
    let failed: FailedRows

    /// In pages. A chunk has at least one; one row of a page alone is looked at when another of it fails.
    private static let start = 64
    private static let bounds = 1...8192

    private var mapping: Mapping { runner.statement.mapping }

    func walk(
        on connection: PostgresConnection,
        progress: (Int64) -> Void,
        yielded: (PostgresConnection) async throws -> Void
    ) async throws {
        let first = checkpoint.lower?.page ?? 0
        var position =
            checkpoint.position.flatMap { PagedPosition($0, of: file.pages) }
            ?? PagedPosition(page: first, of: file.pages)
        let last = checkpoint.upper?.page ?? position.fileEnd ?? max(position.reach, file.pages)
        var pacers = PassPacers(ChunkPacer(target: chunkDuration, start: Self.start, floor: 1, bounds: Self.bounds))
        let clock = ContinuousClock()
        // Whether a row was left undone: then the checkpoint stays before it.
        var hasFailed = false
        while true {
            try failed.check()
            try await turn.begin()
            let began = clock.now
            let end = position.chunkEnd(pacers[position.pass].size, last: last)
            let next = position.after(end, last: last)
            let passed = Int64(Double(end - position.page) * rowsPerPage / Double(position.passes))
            do {
                var chunk = chunk(from: position, to: end, then: next, rows: hasFailed ? 0 : passed)
                chunk.isPart = hasFailed
                _ = try await runner.run(chunk, on: connection)
                progress(passed)
            } catch let error as PostgresError where error.isOfData {
                if pacers[position.pass].isolate() { continue }
                guard try await eachRow(of: position.page, on: connection, yielded: yielded) > 0 else { continue }
                hasFailed = true
                pacers[position.pass].finished(in: clock.now - began)
                guard let beyond = position.after(position.page + 1, last: last) else { return }
                position = beyond
                continue
            } catch let error as PostgresError where error.isLostRace {
                // It is the chunk that yields, not the application.
                pacers[position.pass].yielded()
                try await yielded(connection)
                continue
            }
            let took = clock.now - began
            pacers[position.pass].finished(in: took)
            guard let next else { return }
            position = next
            try await turn.end(rows: passed, in: took)
        }
    }

    /// - Parameter next: where the walk stands after it; nil at the end of the range.
    private func chunk(from position: PagedPosition, to end: Int64, then next: PagedPosition?, rows: Int64) -> Chunk {
        let first = ChunkStatement.firstFree
        var condition = "ctid >= $\(first)::text::tid AND ctid < $\(first + 1)::text::tid"
        var values: [PostgresValue] = [.text("(\(position.page),0)"), .text("(\(end),0)")]
        if let (number, buckets) = position.bucket {
            condition += " AND hashtid(ctid) & \(buckets - 1) = $\(first + 2)::int"
            values.append(.integer(Int64(number)))
        }
        return Chunk(
            range: checkpoint.range, after: position.stored, upTo: next?.stored ?? [String(end)], table: file.name,
            condition: condition, values: values, rows: rows, isLast: next == nil, file: file.file)
    }

    /// Does each row of a page by itself, one of which fails.
    ///
    /// - Returns: how many do. If none does any more, somebody has mended it.
    /// - Throws: ``RowFailures`` when enough of them are known.
    private func eachRow(
        of page: Int64, on connection: PostgresConnection, yielded: (PostgresConnection) async throws -> Void
    ) async throws -> Int {
        var count = 0
        let key = Keyset(mapping).selection
        let rows = try await connection.query(
            """
            SELECT ctid::text AS place, \(key) FROM ONLY \(file.name)
            WHERE ctid >= $1::text::tid AND ctid < $2::text::tid ORDER BY ctid
            """, [.text("(\(page),0)"), .text("(\(page + 1),0)")]
        ).rows
        for row in rows {
            let chunk = Chunk(
                range: checkpoint.range, after: [String(page)], upTo: [String(page + 1)], table: file.name,
                condition: "ctid = $\(ChunkStatement.firstFree)::text::tid", values: [.text(row[0]!)],
                rows: 0, isLast: false, file: file.file, isPart: true)
            var isDone = false
            while !isDone {
                do {
                    _ = try await runner.run(chunk, on: connection)
                    isDone = true
                } catch let error as PostgresError where error.isOfData {
                    count += 1
                    isDone = true
                    try failed.note(
                        RowFailure(
                            table: mapping.table, keyColumns: mapping.key.map(\.name),
                            key: row.values.dropFirst().map { $0 ?? "NULL" }, error: error))
                } catch let error as PostgresError where error.isLostRace {
                    try await yielded(connection)
                }
            }
        }
        return count
    }
}
