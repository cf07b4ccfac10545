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

    /// In pages. A chunk has at least one; one row of a page alone is looked at when another of it fails.
    private static let start = 16
    private static let bounds = 1...8192

    private var mapping: Mapping { runner.statement.mapping }

    func walk(
        on connection: PostgresConnection,
        progress: (Int64) -> Void,
        yielded: (PostgresConnection) async throws -> Void
    ) async throws {
        var position = (checkpoint.position ?? checkpoint.lower)?.page ?? 0
        var pacer = ChunkPacer(target: chunkDuration, start: Self.start, floor: 1, bounds: Self.bounds)
        let clock = ContinuousClock()
        // A range without an end ends where the file does: what comes behind that was written by the triggers' leave.
        let end = checkpoint.upper?.page ?? max(position, file.pages)
        while true {
            try await turn.begin()
            let began = clock.now
            let next = min(position + Int64(pacer.size), end)
            let passed = Int64(Double(next - position) * rowsPerPage)
            do {
                let tally = try await runner.run(
                    chunk(from: position, to: next, rows: passed, isLast: next == end), on: connection)
                progress(runner.statement.isReading ? tally.rows : passed)
            } catch let error as PostgresError where error.isOfData {
                if pacer.isolate() { continue }
                try await eachRow(of: position, on: connection, yielded: yielded)
                continue
            } catch let error as PostgresError where error.isLostRace {
                // It is the chunk that yields, not the application.
                pacer.yielded()
                try await yielded(connection)
                continue
            }
            let took = clock.now - began
            guard next < end else { return }
            position = next
            pacer.finished(in: took)
            try await turn.end(rows: passed, in: took)
        }
    }

    private func chunk(from: Int64, to: Int64, rows: Int64, isLast: Bool) -> Chunk {
        let first = ChunkStatement.firstFree
        return Chunk(
            range: checkpoint.range, after: [String(from)], upTo: [String(to)], table: file.name,
            condition: "ctid >= $\(first)::text::tid AND ctid < $\(first + 1)::text::tid",
            values: [.text("(\(from),0)"), .text("(\(to),0)")],
            rows: runner.statement.isReading ? nil : rows, isLast: isLast, file: file.file)
    }

    /// Does each row of a page by itself, one of which fails.
    ///
    /// - Throws: ``RowFailure`` for the first one that does. If none does any more, somebody has mended it.
    private func eachRow(
        of page: Int64, on connection: PostgresConnection, yielded: (PostgresConnection) async throws -> Void
    ) async throws {
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
                    throw RowFailure(
                        table: mapping.table, keyColumns: mapping.key.map(\.name),
                        key: row.values.dropFirst().map { $0 ?? "NULL" }, error: error)
                } catch let error as PostgresError where error.isLostRace {
                    try await yielded(connection)
                }
            }
        }
    }
}

extension [String] {
    /// Of a range of pages: the page at which it begins, or ends.
    fileprivate var page: Int64? { first.flatMap { Int64($0) } }
}
