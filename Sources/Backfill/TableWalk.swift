public import Logging
public import PostgreSQL
internal import SchemaChange

/// Walks a whole table, in chunks and several ranges at a time, and goes on where an earlier worker stopped: by pages, or by its
/// key where PostgreSQL knows no pages of it.
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

    /// How fast it goes, and by what.
    public struct Pace: Hashable, Sendable {
        /// How long one chunk should take.
        public let chunkDuration: Duration
        /// Ranges that are walked at the same time.
        public let workers: Int
        /// By what it is walked, where both are sound.
        public let method: WalkMethod

        public init(chunkDuration: Duration, workers: Int, method: WalkMethod = .pages) {
            self.chunkDuration = chunkDuration
            self.workers = workers
            self.method = method
        }
    }

    private let statement: ChunkStatement
    private let place: Place
    private let pool: PostgresPool
    private let pace: Pace
    private let throttle: Throttle
    private let heapOnly: HeapOnlyShare
    private let logger: Logger

    /// - Parameter heapOnly: is told of the row versions that are written.
    public init(
        _ statement: ChunkStatement, at place: Place, pool: PostgresPool, pace: Pace, throttle: Throttle = .none,
        heapOnly: HeapOnlyShare = HeapOnlyShare(), logger: Logger
    ) {
        self.statement = statement
        self.place = place
        self.pool = pool
        self.pace = pace
        self.throttle = throttle
        self.heapOnly = heapOnly
        self.logger = logger
    }

    /// Walks to the end. `progress` is told, after each chunk, how many rows it passed; `yielded`, each time that a chunk
    /// had to give way to another session's lock, and is tried again.
    ///
    /// - Throws: ``FenceLost``; ``RowFailures`` for rows that cannot be done; `PostgresError` when the server is away.
    ///   Run again, it goes on after the last chunk that committed.
    public func run(
        progress: @escaping @Sendable (Int64) -> Void,
        yielded: @escaping @Sendable (PostgresConnection) async throws -> Void = { _ in }
    ) async throws -> ChunkTally {
        if let tally = try await comparedInOneSnapshot(progress: progress, yielded: yielded) { return tally }
        // What was counted of ranges that had to be pinned anew is counted again.
        var counted: Int64 = 0
        while true {
            let (checkpoints, files) = try await pool.withConnection { connection in
                let files =
                    statement.method(pace.method) == .keys
                    ? nil : try await FoundHeapFile.all(of: statement.mapping.table, on: connection)
                return (try await ranges.pinned(files, on: connection), files)
            }
            let known = checkpoints.reduce(0) { $0 + $1.tally.rows }
            progress(known - counted)
            counted = known
            let left = checkpoints.filter { !$0.isDone }
            guard !left.isEmpty else { return checkpoints.reduce(into: ChunkTally()) { $0 += $1.tally } }
            let queue = RangeQueue(left)
            do {
                try await walk(queue, of: checkpoints, files: files, progress: progress, yielded: yielded)
            } catch is HeapFileMoved {
                logger.notice("the table was written anew; its walk starts again", metadata: ["step": "\(place.step)"])
            } catch is CheckpointLost {
                logger.warning(
                    "a checkpoint was deleted; its range is walked again", metadata: ["step": "\(place.step)"])
            }
            counted += queue.rowsPassed
        }
    }

    /// What there is of a comparison by pages, which is made in one go.
    private enum PagedComparison {
        case fresh([Checkpoint], [FoundHeapFile])
        case over(ChunkTally)
        /// It was interrupted, or the table is not to be walked by pages.
        case impossible
    }

    private func pagedComparison(on connection: PostgresConnection) async throws -> PagedComparison {
        let present = try await ranges.stored(connection)
        let files = try await FoundHeapFile.all(of: statement.mapping.table, on: connection)
        guard let files, files.count <= Self.mostFiles, present.allSatisfy({ $0.file != nil }) else {
            return .impossible
        }
        // A checkpoint that somebody has deleted leaves a gap, or a file of which nothing is known.
        if present.allSatisfy(\.isDone), WalkRanges.areWhole(present),
            Set(files.map(\.file)) == Set(present.compactMap(\.file))
        {
            return .over(present.reduce(into: ChunkTally()) { $0 += $1.tally })
        }
        guard !present.contains(where: \.isDone) else { return .impossible }
        return .fresh(try await ranges.pinned(files, on: connection), files)
    }

    /// All rows, as they were at one moment, where they are compared by pages; nil where that is not so, or was interrupted: then
    /// they are compared by keys.
    private func comparedInOneSnapshot(
        progress: @escaping @Sendable (Int64) -> Void,
        yielded: @escaping @Sendable (PostgresConnection) async throws -> Void
    ) async throws -> ChunkTally? {
        guard case .compare = statement, pace.method == .pages else { return nil }
        let found = try await pool.withConnection { try await pagedComparison(on: $0) }
        let (checkpoints, files): ([Checkpoint], [FoundHeapFile])
        switch found {
        case .impossible:
            return nil
        case .over(let tally):
            progress(tally.rows)
            return tally
        case .fresh(let pinned, let walked):
            (checkpoints, files) = (pinned, walked)
        }
        progress(0)
        let queue = RangeQueue(checkpoints)
        do {
            return try await SnapshotWalk(
                statement: statement, place: place, pool: pool, pace: pace, throttle: throttle, logger: logger
            ).run(
                checkpoints, of: files,
                progress: { rows in
                    queue.passed(rows)
                    progress(rows)
                }, yielded: yielded)
        } catch let lost as SnapshotLost {
            logger.notice("comparing by keys", metadata: ["step": "\(place.step)", "reason": "\(lost.reason)"])
            progress(-queue.rowsPassed)
            return nil
        }
    }

    /// A table of more partitions is compared by keys: a proof has a limited number of ranges.
    private static let mostFiles = 16

    private var ranges: WalkRanges {
        WalkRanges(mapping: statement.mapping, place: place, workers: pace.workers)
    }

    /// Several ranges at the same time; whoever is done with one takes the next.
    private func walk(
        _ queue: RangeQueue,
        of checkpoints: [Checkpoint],
        files: [FoundHeapFile]?,
        progress: @escaping @Sendable (Int64) -> Void,
        yielded: @escaping @Sendable (PostgresConnection) async throws -> Void
    ) async throws {
        let rows = try await pool.withConnection { try await TableSize.estimate(of: statement.mapping.table, on: $0) }
        let pages = files?.reduce(0) { sum, found in
            sum + (checkpoints.lazy.filter { $0.file == found.file }.compactMap(\.fileEnd).first ?? found.pages)
        }
        let failed = FailedRows()
        let runner = ChunkRunner(statement: statement, place: place, heapOnly: heapOnly, logger: logger)
        let passed: @Sendable (Int64) -> Void = { rows in
            queue.passed(rows)
            progress(rows)
        }
        @Sendable func walk(_ checkpoint: Checkpoint, _ turn: ChunkTurn, on connection: PostgresConnection) async throws
        {
            guard let file = checkpoint.file else {
                return try await KeyedRange(
                    runner: runner, checkpoint: checkpoint, chunkDuration: pace.chunkDuration, turn: turn,
                    failed: failed
                ).walk(on: connection, progress: passed, yielded: yielded)
            }
            guard let found = files?.first(where: { $0.file == file }) else { throw HeapFileMoved() }
            try await PagedRange(
                runner: runner, checkpoint: checkpoint, file: found, chunkDuration: pace.chunkDuration, turn: turn,
                rowsPerPage: Double(rows) / Double(max(1, pages ?? 1)), failed: failed
            ).walk(on: connection, progress: passed, yielded: yielded)
        }
        try await withThrowingTaskGroup(of: Void.self) { group in
            for worker in 0..<pace.workers {
                group.addTask {
                    try await ChunkTurn.during(throttle, worker: worker) { turn in
                        try await pool.withConnection { connection in
                            while let checkpoint = queue.next() { try await walk(checkpoint, turn, on: connection) }
                        }
                    }
                }
            }
            try await group.waitForAll()
        }
        try failed.end()
    }
}
