public import Logging
public import PostgreSQL
public import SchemaChange

/// Walks a table whose new columns a worker computes: asks it about one chunk after the other, in several ranges at a time.
///
/// Which chunk is asked about next, and under which name, follows from the checkpoint. So a worker of ours that takes over
/// finds the call of the one before, and with it the answer. When that is applied the call is forgotten; calls that came to
/// nothing are kept, for people to look at, until one about their range has.
public struct RemoteWalk: Sendable {
    private let mapping: Mapping
    private let remote: RemoteForward
    private let place: TableWalk.Place
    private let function: any RemoteFunction
    private let pool: PostgresPool
    private let workers: Int
    private let logger: Logger

    /// How many rows a call is about at the most, and how long one should take.
    private static let rows = 1...1000
    private static let callDuration = Duration.seconds(1)
    /// A pass that finds fewer is content: what is written meanwhile it cannot outrun.
    private static let few = 100

    /// Nil for a mapping that SQL computes.
    public init?(
        _ mapping: Mapping,
        at place: TableWalk.Place,
        asking function: any RemoteFunction,
        pool: PostgresPool,
        workers: Int,
        logger: Logger
    ) {
        guard let remote = mapping.remote else { return nil }
        self.mapping = mapping
        self.remote = remote
        self.place = place
        self.function = function
        self.pool = pool
        self.workers = workers
        self.logger = logger
    }

    public typealias Progress = @Sendable (Int64) -> Void
    public typealias Yielded = @Sendable (PostgresConnection) async throws -> Void

    /// Passes the whole table once and fills what has no side. Rows that are written meanwhile are left for ``fillRest``.
    ///
    /// - Throws: ``RemoteFailure``, ``FenceLost``; `PostgresError` when the server is away. Run again, it goes on.
    public func fill(
        under throttle: Throttle, progress: @escaping Progress, yielded: @escaping Yielded
    ) async throws -> ChunkTally {
        try await walk(.fill, throttle, progress, yielded)
    }

    /// Passes the whole table once and compares every row, asking about those of the old side again.
    public func compare(
        under throttle: Throttle, progress: @escaping Progress, yielded: @escaping Yielded
    ) async throws -> ChunkTally {
        try await walk(.compare, throttle, progress, yielded)
    }

    /// Fills what is not filled, pass after pass, until a pass finds few rows, or with `all` until one finds none. Gives up
    /// after so many passes as nobody should need; then rows are written faster than they are answered.
    ///
    /// - Returns: how many rows the last pass found.
    public func fillRest(all: Bool, progress: @escaping Progress, yielded: @escaping Yielded) async throws -> Int {
        let checkpoint = try await pool.withConnection { connection in
            try await WalkRanges(mapping: mapping, place: place, workers: 1).pinned(nil, on: connection)[0]
        }
        var calls = checkpoint.calls
        var found = 0
        for _ in 0..<50 {
            let pass = RemotePass(walk: self, pass: .fill, range: checkpoint.range, lower: nil, upper: nil)
            (found, calls) = try await pool.withConnection { connection in
                try await pass.run(
                    from: nil, calls: calls, turn: ChunkTurn(throttle: .none, worker: 0), on: connection, progress,
                    yielded)
            }
            if found <= (all ? 0 : Self.few) { break }
        }
        try await forgetCalls()
        return found
    }

    /// Whether there is a row that has no side.
    public static func isUnfilled(_ mapping: Mapping, on connection: PostgresConnection) async throws -> Bool {
        let query = """
            SELECT EXISTS (SELECT FROM \(mapping.table.quoted) WHERE \(mapping.marker.quotedIdentifier) IS NULL) AS found
            """
        return try await connection.query(query).row().boolean("found")
    }

    private func walk(
        _ pass: RemoteStatement.Pass,
        _ throttle: Throttle,
        _ progress: @escaping Progress,
        _ yielded: @escaping Yielded
    ) async throws -> ChunkTally {
        let ranges = WalkRanges(mapping: mapping, place: place, workers: workers)
        let checkpoints = try await pool.withConnection { try await ranges.pinned(nil, on: $0) }
        progress(checkpoints.reduce(0) { $0 + $1.tally.rows })
        try await withThrowingTaskGroup(of: Void.self) { group in
            for (worker, checkpoint) in checkpoints.filter({ !$0.isDone }).enumerated() {
                let pass = RemotePass(
                    walk: self, pass: pass, range: checkpoint.range, lower: checkpoint.lower, upper: checkpoint.upper)
                group.addTask {
                    try await ChunkTurn.during(throttle, worker: worker) { turn in
                        _ = try await pool.withConnection {
                            try await pass.run(
                                from: checkpoint.position, calls: checkpoint.calls, turn: turn, on: $0, progress,
                                yielded)
                        }
                    }
                }
            }
            try await group.waitForAll()
        }
        try await forgetCalls()
        return try await pool.withConnection { connection in
            try await ranges.stored(connection).reduce(into: ChunkTally()) { $0 += $1.tally }
        }
    }

    /// Those that a crash left.
    private func forgetCalls() async throws {
        try await function.forget(beginningWith: "\(place.step).")
    }

    /// One pass over one range.
    private struct RemotePass: Sendable {
        let walk: RemoteWalk
        let pass: RemoteStatement.Pass
        let range: Int
        let lower: [String]?
        let upper: [String]?

        private var mapping: Mapping { walk.mapping }
        private var statement: RemoteStatement { RemoteStatement(mapping: mapping, pass: pass) }

        /// How many rows it asked about, and how many calls are behind the range then.
        func run(
            from start: [String]?,
            calls done: Int64,
            turn: ChunkTurn,
            on connection: PostgresConnection,
            _ progress: Progress,
            _ yielded: Yielded
        ) async throws -> (Int, Int64) {
            var position = start ?? lower
            var calls = done
            var asked = 0
            var pacer = ChunkPacer(target: RemoteWalk.callDuration, start: 100, bounds: RemoteWalk.rows)
            let clock = ContinuousClock()
            while true {
                try await turn.begin()
                let began = clock.now
                let rows = try await read(pacer.size, after: position, on: connection)
                guard rows.count > 0 else { break }
                let argument = RemoteChunk.argument(of: mapping, rows: rows.json)
                let name = "\(walk.place.step).\(range).\(calls)"
                walk.logger.debug(
                    "asking", metadata: ["call": "\(name)", "rows": "\(rows.count)", "after": "\(position ?? [])"])
                let reply = try await walk.function.call(name, argument, of: walk.remote)
                let (chunk, answer) = try await usable(reply, on: connection)
                let end = chunk.keys.last
                let tally = try await apply(
                    chunk, answer, reply, from: position, to: end, isLast: false, on: connection, yielded)
                progress(tally.rows)
                try await forget()
                calls += 1
                asked += chunk.keys.count
                position = end ?? position
                let took = clock.now - began
                pacer.finished(in: took)
                try await turn.end(rows: Int64(chunk.keys.count), in: took)
            }
            let nothing = RemoteChunk(#"{"rows":[]}"#)!
            let tally = try await apply(
                nothing, "[]", nil, from: position, to: upper, isLast: true, on: connection, yielded)
            progress(tally.rows)
            return (asked, calls + 1)
        }

        /// Of a range one call is under way at a time, and that is done. What is in the way now is forgotten with the next.
        private func forget() async throws {
            do {
                try await walk.function.forget(beginningWith: "\(walk.place.step).\(range).")
            } catch let error as PostgresError where error.isLostRace {
                walk.logger.debug("a call is forgotten later", metadata: ["error": "\(error)"])
            }
        }

        private func read(
            _ limit: Int,
            after position: [String]?,
            on connection: PostgresConnection
        ) async throws -> (json: String, count: Int) {
            let (condition, values) = Keyset(mapping).between(position, upper, parametersFrom: 2)
            let row = try await connection.query(
                statement.reading(condition: condition),
                [.integer(Int64(limit))] + values.map { .text($0) }
            ).row()
            return (try row.text("rows"), Int(try row.integer("count")))
        }

        /// What was asked and answered. Of what cannot be used the call is over: the next one has another name.
        private func usable(
            _ reply: RemoteReply,
            on connection: PostgresConnection
        ) async throws -> (RemoteChunk, String) {
            let chunk = RemoteChunk(reply.argument) ?? RemoteChunk(#"{"rows":[]}"#)!
            switch reply.outcome {
            case .answered(let json):
                guard !chunk.keys.isEmpty else {
                    throw try await failure(
                        .answer, chunk, reply, "the promise is about something else", on: connection)
                }
                guard let flaw = chunk.flaw(inAnswer: json, for: mapping) else { return (chunk, json) }
                throw try await failure(.answer, chunk, reply, flaw, on: connection)
            case .rejected(let message): throw try await failure(.rejected, chunk, reply, message, on: connection)
            case .overdue: throw try await failure(.overdue, chunk, reply, "", on: connection)
            }
        }

        private func failure(
            _ kind: RemoteFailure.Kind,
            _ chunk: RemoteChunk,
            _ reply: RemoteReply,
            _ message: String,
            on connection: PostgresConnection
        ) async throws -> RemoteFailure {
            let moved = try await connection.query(RemoteStatement.passing, placeValues)
            guard !moved.rows.isEmpty else { throw FenceLost(walk.place.fence) }
            return RemoteFailure(
                kind: kind,
                table: mapping.table,
                keys: chunk.keyRange,
                function: walk.remote.function,
                target: walk.remote.target,
                id: reply.id,
                message: message
            )
        }

        private func apply(
            _ chunk: RemoteChunk,
            _ answer: String,
            _ reply: RemoteReply?,
            from lower: [String]?,
            to upper: [String]?,
            isLast: Bool,
            on connection: PostgresConnection,
            _ yielded: Yielded
        ) async throws -> ChunkTally {
            let (condition, values) =
                pass == .compare ? Keyset(mapping).between(lower, upper, parametersFrom: 10) : ("true", [])
            while true {
                do {
                    let row = try await connection.query(
                        statement.applying(condition: condition),
                        placeValues + [
                            .text(chunk.text), .text(answer), .boolean(isLast),
                            isLast ? .null : upper.map { .textArray($0) } ?? .null,
                        ] + values.map { .text($0) }
                    ).row()
                    guard try row.boolean("fenced") else { throw FenceLost(walk.place.fence) }
                    return try ChunkTally(row)
                } catch let error as PostgresError where error.isLostRace {
                    try await yielded(connection)
                } catch let error as PostgresError where error.isOfData {
                    guard let reply else { throw error }
                    let message = "\(error.messageWithoutValues) (\(error.sqlState ?? "?"))"
                    throw try await failure(.answer, chunk, reply, message, on: connection)
                }
            }
        }

        private var placeValues: [PostgresValue] {
            let place = walk.place
            return [
                .text(place.fence.migration), .integer(place.fence.epoch), .integer(place.walk), .text(place.step),
                .integer(Int64(range)),
            ]
        }
    }
}
