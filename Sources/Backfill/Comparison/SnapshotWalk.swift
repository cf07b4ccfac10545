internal import Logging
internal import PostgreSQL
internal import SchemaChange

/// Compares all rows of a table as they were at one moment, by pages, at about the speed at which the table is read.
///
/// A walk by pages could pass a row that is written meanwhile, or count it twice; in one snapshot each row stands in one place. So
/// it is all or nothing: whoever comes after an interruption cannot see what was seen, and compares by keys.
struct SnapshotWalk {
    let statement: ChunkStatement
    let place: TableWalk.Place
    let pool: PostgresPool
    let pace: TableWalk.Pace
    let throttle: Throttle
    let logger: Logger

    /// In pages.
    private static let start = 256
    private static let bounds = 1...65_536
    /// For so long it may be held, before it lets others vacuum.
    private static let patience = Duration.seconds(10)

    /// - Parameters:
    ///   - checkpoints: of pages, none of which is begun.
    ///   - files: those whose pages they are.
    ///   - yielded: is told that somebody else's lock is in the way of a chunk, which is tried again.
    /// - Throws: ``SnapshotLost``; ``FenceLost``; `PostgresError` when the server is away.
    func run(
        _ checkpoints: [Checkpoint], of files: [FoundHeapFile],
        progress: @escaping @Sendable (Int64) -> Void,
        yielded: @escaping @Sendable (PostgresConnection) async throws -> Void
    ) async throws -> ChunkTally {
        _ = try await throttle.admit(0)
        do {
            return try await Snapshot.during(pool) { snapshot in
                let queue = RangeQueue(checkpoints)
                return try await withThrowingTaskGroup(of: ChunkTally.self) { group in
                    for worker in 0..<pace.workers {
                        group.addTask {
                            try await ChunkTurn.during(throttle, worker: worker) { turn in
                                try await compare(
                                    queue, of: files, in: snapshot, turn: turn, progress: progress, yielded: yielded)
                            }
                        }
                    }
                    return try await group.reduce(into: ChunkTally()) { $0 += $1 }
                }
            }
        } catch is HeapFileMoved {
            throw SnapshotLost(reason: "the table was written anew")
        } catch is CheckpointLost {
            throw SnapshotLost(reason: "a checkpoint was deleted")
        } catch let error as PostgresError where error.code == .server && !error.isTransient {
            throw SnapshotLost(reason: "\(error)")
        }
    }

    /// One range after the other.
    private func compare(
        _ queue: RangeQueue, of files: [FoundHeapFile], in snapshot: Snapshot, turn: ChunkTurn,
        progress: (Int64) -> Void, yielded: (PostgresConnection) async throws -> Void
    ) async throws -> ChunkTally {
        try await pool.withConnection { connection in
            var all = ChunkTally()
            var pacer = ChunkPacer(target: pace.chunkDuration, start: Self.start, floor: 1, bounds: Self.bounds)
            while let checkpoint = queue.next() {
                guard let file = files.first(where: { $0.file == checkpoint.file }) else { throw HeapFileMoved() }
                var page = checkpoint.lower?.page
                var tally = ChunkTally()
                while let first = page {
                    try await begin(turn, in: snapshot)
                    let began = ContinuousClock.now
                    // Behind the last page that was there may be others by now, with rows that were there.
                    let reach = first + Int64(pacer.size)
                    let next = reach < checkpoint.upper?.page ?? file.pages ? reach : nil
                    let upTo = next.map { [String($0)] } ?? checkpoint.upper
                    place.log(range: checkpoint.range, after: [String(first)], upTo: upTo, to: logger)
                    let part: ChunkTally
                    do {
                        part = try await statement.tally(
                            ofPages: first, before: upTo?.page, of: file, in: snapshot, on: connection)
                    } catch let error as PostgresError where error.isLostRace {
                        try await yielded(connection)
                        continue
                    }
                    tally += part
                    progress(part.rows)
                    let took = ContinuousClock.now - began
                    pacer.finished(in: took)
                    try await turn.end(rows: part.rows, in: took)
                    page = next
                }
                try await store(tally, of: checkpoint, on: connection)
                all += tally
            }
            return all
        }
    }

    /// Waits for leave to compare a chunk. A snapshot may become as old as others' transactions may.
    private func begin(_ turn: ChunkTurn, in snapshot: Snapshot) async throws {
        let deadline = throttle.maxTransactionAge.map { snapshot.takenAt + $0 }
        guard try await !turn.begin(patience: Self.patience, until: deadline) else { return }
        let isOld = deadline.map { .now > $0 } ?? false
        throw SnapshotLost(
            reason: isOld
                ? "the snapshot is as old as backfill.throttle.maxTransactionAge lets a transaction be"
                : "it was held for \(Self.patience.rounded)")
    }

    /// Of a range, once all of it is compared.
    private func store(_ tally: ChunkTally, of checkpoint: Checkpoint, on connection: PostgresConnection) async throws {
        let row = try await connection.query(
            """
            WITH fence AS MATERIALIZED (\(Fence.query)),
            stored AS (
                UPDATE sluice.checkpoint SET done = true, rows = $6::bigint, old_side = $7::bigint, new_side = $8::bigint,
                    mismatches = $9::bigint, examples = $10::text[], digest = $11::bigint
                FROM fence WHERE migration = $1 AND walk = $3::bigint AND step = $4 AND range = $5::int
                RETURNING 1
            )
            SELECT EXISTS (SELECT FROM fence) AS fenced, EXISTS (SELECT FROM stored) AS stored
            """,
            [
                .text(place.fence.migration), .integer(place.fence.epoch), .integer(place.walk), .text(place.step),
                .integer(Int64(checkpoint.range)), .integer(tally.rows), .integer(tally.oldSide),
                .integer(tally.newSide),
                .integer(tally.mismatches), .textArray(tally.examples), .optional(tally.digest),
            ]
        ).row()
        guard try row.boolean("fenced") else { throw FenceLost(place.fence) }
        guard try row.boolean("stored") else { throw CheckpointLost() }
    }
}

/// What was compared in a snapshot cannot be gone on with in it.
struct SnapshotLost: Error {
    let reason: String
}
