internal import PostgreSQL
internal import SchemaChange

/// One range of a walk by key, from where it stands to its end.
struct KeyedRange {
    let runner: ChunkRunner
    let checkpoint: Checkpoint
    let chunkDuration: Duration
    let turn: ChunkTurn
    let failed: FailedRows

    private var mapping: Mapping { runner.statement.mapping }

    func walk(
        on connection: PostgresConnection,
        progress: (Int64) -> Void,
        yielded: (PostgresConnection) async throws -> Void
    ) async throws {
        var position = checkpoint.position ?? checkpoint.lower
        var pacer = ChunkPacer(target: chunkDuration)
        let clock = ContinuousClock()
        // Whether a row was left undone: then the checkpoint stays before it.
        var hasFailed = false
        while true {
            try failed.check()
            try await turn.begin()
            let began = clock.now
            let boundary: [String]?
            let tally: ChunkTally
            // The key at which this attempt ends, as far as it was found.
            var found: [String]?
            do {
                boundary = try await self.boundary(after: position, rows: pacer.size, on: connection)
                found = boundary
                let end = boundary ?? checkpoint.upper
                let isCounted = boundary == nil || runner.statement.isReading
                let (condition, values) = Keyset(mapping).between(
                    position, end, parametersFrom: ChunkStatement.firstFree)
                tally = try await runner.run(
                    Chunk(
                        range: checkpoint.range, after: position, upTo: end, table: mapping.table.quoted,
                        condition: condition, values: values.map { .text($0) },
                        rows: hasFailed ? 0 : isCounted ? nil : Int64(pacer.size),
                        isLast: boundary == nil, isPart: hasFailed),
                    on: connection)
            } catch let error as PostgresError where error.isOfData {
                if pacer.isolate() { continue }
                let failure = RowFailure(
                    table: mapping.table, keyColumns: mapping.key.map(\.name), key: found ?? [], error: error)
                // What is counted behind it would be counted again.
                if runner.statement.isReading { throw RowFailures(rows: [failure], isAll: false) }
                try failed.note(failure)
                hasFailed = true
                guard let found else { return }
                position = found
                pacer.finished(in: clock.now - began)
                continue
            } catch let error as PostgresError where error.isLostRace {
                // It is the chunk that yields, not the application.
                pacer.yielded()
                try await yielded(connection)
                continue
            }
            let rows = boundary == nil || runner.statement.isReading ? tally.rows : Int64(pacer.size)
            let took = clock.now - began
            progress(rows)
            guard let boundary else { return }
            position = boundary
            pacer.finished(in: took)
            try await turn.end(rows: rows, in: took)
        }
    }

    /// The key of the last of the next `rows` rows; nil when no more than those are left, and the rest is one chunk.
    private func boundary(
        after lower: [String]?, rows: Int, on connection: PostgresConnection
    ) async throws -> [String]? {
        let (sql, values) = Keyset(mapping).boundary(lower, checkpoint.upper)
        let result = try await connection.query(sql, [.integer(Int64(rows))] + values.map { .text($0) })
        return result.rows.first.map { row in row.values.map { $0! } }
    }
}
