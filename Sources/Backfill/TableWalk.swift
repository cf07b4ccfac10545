public import Logging
public import PostgreSQL
public import SchemaChange

/// Walks a whole table by its key, in chunks and several ranges at a time, and goes on where an earlier worker stopped.
///
/// Sound although each chunk has its own snapshot: every row version that is written after the triggers committed keeps
/// to its side, so a row that moves past the walk is right already.
public struct TableWalk: Sendable {
    /// Whose checkpoints these are.
    public struct Place: Hashable, Sendable {
        public let fence: Fence
        public let walk: Int64
        public let step: String

        public init(fence: Fence, walk: Int64, step: String) {
            self.fence = fence
            self.walk = walk
            self.step = step
        }
    }

    private let statement: ChunkStatement
    private let place: Place
    private let pool: PostgresPool
    private let chunkDuration: Duration
    private let workers: Int
    private let logger: Logger

    /// Fills the rows of `mapping` that have no side yet.
    public static func filling(
        _ mapping: Mapping,
        at place: Place,
        pool: PostgresPool,
        chunkDuration: Duration,
        workers: Int,
        logger: Logger
    ) -> TableWalk {
        TableWalk(.fill(mapping), place, pool, chunkDuration, workers, logger)
    }

    /// Compares every row of `mapping` with what its side says.
    public static func comparing(
        _ mapping: Mapping,
        at place: Place,
        pool: PostgresPool,
        chunkDuration: Duration,
        workers: Int,
        logger: Logger
    ) -> TableWalk {
        TableWalk(.compare(mapping), place, pool, chunkDuration, workers, logger)
    }

    /// Gives the rows of a partition that have no side one.
    ///
    /// - Parameter isArchived: whether the old columns stand in the archive.
    public static func adopting(
        _ mapping: Mapping,
        isArchived: Bool,
        at place: Place,
        pool: PostgresPool,
        chunkDuration: Duration,
        workers: Int,
        logger: Logger
    ) -> TableWalk {
        TableWalk(.adopt(mapping, isArchived: isArchived), place, pool, chunkDuration, workers, logger)
    }

    private init(
        _ statement: ChunkStatement,
        _ place: Place,
        _ pool: PostgresPool,
        _ chunkDuration: Duration,
        _ workers: Int,
        _ logger: Logger
    ) {
        self.statement = statement
        self.place = place
        self.pool = pool
        self.chunkDuration = chunkDuration
        self.workers = workers
        self.logger = logger
    }

    /// Walks to the end. `progress` is told, after each chunk, how many rows it passed; `yielded`, each time that a chunk
    /// had to give way to another session's lock, and is tried again.
    ///
    /// - Throws: ``FenceLost``; ``RowFailure`` for a row that cannot be done; `PostgresError` when the server is away.
    ///   Run again, it goes on after the last chunk that committed.
    public func run(
        progress: @escaping @Sendable (Int64) -> Void,
        yielded: @escaping @Sendable (PostgresConnection) async throws -> Void = { _ in }
    ) async throws -> ChunkTally {
        let checkpoints = try await pool.withConnection { try await ranges.pinned($0) }
        progress(checkpoints.reduce(0) { $0 + $1.tally.rows })
        try await withThrowingTaskGroup(of: Void.self) { group in
            for checkpoint in checkpoints where !checkpoint.isDone {
                group.addTask {
                    try await pool.withConnection {
                        try await walk(checkpoint, on: $0, progress: progress, yielded: yielded)
                    }
                }
            }
            try await group.waitForAll()
        }
        return try await pool.withConnection { connection in
            try await ranges.stored(connection).reduce(into: ChunkTally()) { $0 += $1.tally }
        }
    }

    private var ranges: WalkRanges {
        WalkRanges(mapping: statement.mapping, place: place, workers: workers)
    }

    // MARK: Chunks

    private func walk(
        _ checkpoint: Checkpoint,
        on connection: PostgresConnection,
        progress: @Sendable (Int64) -> Void,
        yielded: @Sendable (PostgresConnection) async throws -> Void
    ) async throws {
        var position = checkpoint.position ?? checkpoint.lower
        var pacer = ChunkPacer(target: chunkDuration)
        let clock = ContinuousClock()
        while true {
            try Task.checkCancellation()
            let began = clock.now
            let boundary: [String]?
            let tally: ChunkTally
            // The key at which this attempt ends, as far as it was found.
            var found: [String]?
            do {
                boundary = try await self.boundary(
                    after: position,
                    upTo: checkpoint.upper,
                    rows: pacer.rows,
                    on: connection
                )
                found = boundary
                let end = boundary ?? checkpoint.upper
                logger.debug(
                    "chunk",
                    metadata: [
                        "step": "\(place.step)", "range": "\(checkpoint.range)", "epoch": "\(place.fence.epoch)",
                        "after": "\(position ?? [])", "upTo": "\(end ?? [])",
                    ]
                )
                tally = try await attempt(
                    checkpoint.range,
                    from: position,
                    to: end,
                    passing: boundary == nil || statement.counts ? nil : Int64(pacer.rows),
                    isLast: boundary == nil,
                    on: connection
                )
            } catch let error as PostgresError where error.isOfData {
                if pacer.isolate() { continue }
                throw RowFailure(
                    table: statement.mapping.table,
                    keyColumns: statement.mapping.key.map(\.name),
                    key: found ?? [],
                    error: error
                )
            } catch let error as PostgresError where error.isLostRace {
                // It is the chunk that yields, not the application.
                pacer.yielded()
                try await yielded(connection)
                continue
            }
            progress(boundary == nil || statement.counts ? tally.rows : Int64(pacer.rows))
            guard let boundary else { return }
            position = boundary
            pacer.finished(in: clock.now - began)
        }
    }

    /// The key of the last of the next `rows` rows; nil when no more than those are left, and the rest is one chunk.
    private func boundary(
        after lower: [String]?,
        upTo upper: [String]?,
        rows: Int,
        on connection: PostgresConnection
    ) async throws -> [String]? {
        let (sql, values) = Keyset(statement.mapping).boundary(lower, upper)
        let result = try await connection.query(sql, [.integer(Int64(rows))] + values.map { .text($0) })
        return result.rows.first.map { row in row.values.map { $0! } }
    }

    private func attempt(
        _ range: Int,
        from lower: [String]?,
        to upper: [String]?,
        passing rows: Int64?,
        isLast: Bool,
        on connection: PostgresConnection
    ) async throws -> ChunkTally {
        let (condition, values) = Keyset(statement.mapping).between(lower, upper, parametersFrom: 9)
        let row = try await connection.query(
            statement.sql(condition: condition),
            [
                .text(place.fence.migration), .integer(place.fence.epoch), .integer(place.walk), .text(place.step),
                .integer(Int64(range)), upper.map { .textArray($0) } ?? .null, .boolean(isLast), .optional(rows),
            ] + values.map { .text($0) }
        ).row()
        guard try row.boolean("fenced") else { throw FenceLost(place.fence) }
        return try ChunkTally(row)
    }
}
