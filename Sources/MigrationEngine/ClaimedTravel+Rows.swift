internal import Backfill
internal import Foundation
internal import Logging
internal import PostgreSQL
internal import SchemaChange

/// The walks over a table's rows: they are filled, and then all of them are compared.
extension ClaimedTravel {
    var pace: TableWalk.Pace {
        TableWalk.Pace(
            chunkDuration: travel.spec.backfill?.chunkDuration?.duration ?? .milliseconds(40), workers: travel.workers,
            method: travel.spec.backfill?.by ?? .pages)
    }

    // MARK: Filling

    func fill(_ mapping: Mapping, of step: Step) async throws {
        let meter = try await meter(of: [mapping.table])
        let (progress, yielded) = tellers(of: step, on: mapping.table, meter)
        if let remoteWalk = remoteWalk(mapping, of: step.stepName, checkpoints: step.id) {
            _ = try await watched(mapping.table, meter, isWriting: true) {
                try await remoteWalk.fill(under: $0, progress: progress, yielded: yielded)
            }
        } else {
            let record = try await pool.withConnection { try await ledger.read($0) }
            let filled = Set(record?.filled ?? [])
            let isFilled = filled.contains(mapping.token)
            let together = mapping.filledTogether(in: plan)
            if together.count > 1, together[0] == mapping, together.allSatisfy({ !filled.contains($0.token) }) {
                _ = try await walk(
                    .fillTogether(together), mapping.table, of: step, checkpoints: "\(step.id)/together", meter)
                // What this mapping alone has left is looked for in the same way as if there were no others.
                meter.restart()
            }
            _ = try await walk(
                isFilled ? .adopt(mapping, isArchived: false) : .fill(mapping), mapping.table, of: step,
                checkpoints: step.id, meter)
        }
        meter.finish()
        if let percent = meter.heapOnly.percent {
            run.logger.info("filled", metadata: ["table": "\(mapping.table)", "heapOnlyPercent": "\(percent)"])
        }
        try await fenced { connection in
            try await settle(mapping, of: step, on: connection)
            try await ledger.note(applied: step, walk: walk, on: connection)
        }
    }

    func fill(_ move: ColumnMove, of step: Step) async throws {
        let meter = try await meter(of: [move.table])
        _ = try await walk(.move(move, .fill), move.table, of: step, checkpoints: step.id, meter)
        meter.finish()
        try await fenced { try await ledger.note(applied: step, walk: walk, on: $0) }
    }

    /// All rows of a mapping are filled: from now on its triggers take one without a side for what it shows.
    private func settle(_ mapping: Mapping, of step: Step, on connection: PostgresConnection) async throws {
        guard mapping.isAdopted else { return }
        let before = try await TriggerRecord(of: step, plan, ledger, on: connection)
        for statement in mapping.settle { try await connection.query(statement) }
        try await before.take(over: ledger, on: connection)
        try await ledger.note(filled: mapping, on: connection)
    }

    // MARK: Walking

    private func walk(
        _ statement: ChunkStatement, _ table: TableName, of step: Step, checkpoints: String, _ meter: ProgressMeter
    ) async throws -> ChunkTally {
        let (progress, yielded) = tellers(of: step, on: table, meter)
        let place = TableWalk.Place(fence: fence, walk: walk, step: checkpoints)
        return try await watched(table, meter, isWriting: !statement.isReading) { throttle in
            try await TableWalk(
                statement, at: place, pool: pool, pace: pace, throttle: throttle, heapOnly: meter.heapOnly,
                logger: run.logger
            ).run(progress: progress, yielded: yielded)
        }
    }

    /// Runs a walk, and holds it while the server, or who else uses it, has too much of it.
    private func watched<Value: Sendable>(
        _ table: TableName, _ meter: ProgressMeter, isWriting: Bool,
        _ body: @escaping @Sendable (Throttle) async throws -> Value
    ) async throws -> Value {
        let subject = ThrottleWatch.Subject(
            table: table, workers: travel.workers, sessions: WorkerName.pattern(of: ledger.id),
            allSessions: WorkerName.anyPattern, isWriting: isWriting)
        let configuration = run.engine.configuration(application: "sluice/watch", schema: travel.spec.schema)
        let watch = ThrottleWatch(
            travel.spec.backfill?.throttle ?? ThrottleSettings(), over: subject, logger: run.logger
        ) {
            try await PostgresConnection.connect(configuration)
        }
        return try await watch.during(
            report: { hold in
                if let hold {
                    run.logger.notice("held", metadata: ["reason": "\(hold.reason)", "why": "\(hold.message)"])
                } else if let since = reporter.current.hold?.since, since.timeIntervalSinceNow < -Self.longHold {
                    meter.resumed()
                }
                reporter.update { $0.hold = hold }
            }, body)
    }

    /// In seconds. Shorter ones are a part of the speed at which a walk goes.
    private static let longHold = 60.0

    /// Who is told of rows that are passed, and of a chunk that gave way to somebody's lock.
    private func tellers(of step: Step, on table: TableName, _ meter: ProgressMeter) -> (
        progress: @Sendable (Int64) -> Void, yielded: @Sendable (PostgresConnection) async throws -> Void
    ) {
        (
            { rows in
                // Whatever it had to wait for is over.
                reporter.working(step.stepName, reason: step.stepName, step.title)
                meter.passed(rows)
            },
            { connection in try await reportLock(step, on: table, asking: connection) }
        )
    }

    private func meter(of tables: [TableName]) async throws -> ProgressMeter {
        let rows = try await pool.withConnection { connection in
            var rows: Int64 = 0
            for table in tables { rows += try await TableSize.estimate(of: table, on: connection) }
            return rows
        }
        return ProgressMeter(rowsTotal: rows, reporter: reporter)
    }

    // MARK: Comparing

    private func compare(
        _ compared: ComparedWalk, of step: Step, _ meter: ProgressMeter
    ) async throws -> ChunkTally {
        if case .compare(let mapping) = compared.statement,
            let remoteWalk = remoteWalk(mapping, of: step.stepName, checkpoints: compared.checkpoints)
        {
            let (progress, yielded) = tellers(of: step, on: compared.table, meter)
            return try await watched(compared.table, meter, isWriting: false) {
                try await remoteWalk.compare(under: $0, progress: progress, yielded: yielded)
            }
        }
        return try await walk(
            compared.statement, compared.table, of: step, checkpoints: compared.checkpoints, meter)
    }

    /// Compares every row, and issues the certificate: only if none broke its side, and the triggers that keep it so are
    /// still as they were created.
    func verify(_ step: Step) async throws {
        try await fillRest()
        let partitions = ProvenPartitions(plan, of: ledger.id)
        // Before the first row is compared: of one that comes later some may have been passed.
        try await fenced { connection in
            let isBegun = try await ledger.hasCheckpoints(step: step.id, walk: walk, on: connection)
            if !isBegun { try await partitions.pin(on: connection) }
        }
        let meter = try await meter(of: plan.compared.map(\.table))
        var tally = ChunkTally()
        for compared in plan.compared { tally += try await compare(compared, of: step, meter) }
        meter.finish()
        guard tally.mismatches == 0 else {
            try await fenced { connection in
                for compared in plan.compared {
                    try await ledger.restartCheckpoints(step: compared.checkpoints, walk: walk, on: connection)
                }
                try await partitions.pin(on: connection)
            }
            if try await fillAttached() { return try await verify(step) }
            if let flaw = try await pool.withConnection({ try await BothSides.flaw(plan, on: $0) }) { throw flaw }
            try await fenced { try await ledger.doubt(on: $0) }
            let keys = tally.examples.map { "(\($0))" }.joined(separator: ", ")
            throw Interruption.stalled(
                reason: "Mismatch",
                message:
                    "\(tally.mismatches) of \(tally.rows) rows are not as their side says, among them keys \(keys); "
                    + "nothing was repaired: \(ProofCheck.mend), and it is verified again"
            )
        }
        // Somebody has deleted a checkpoint after the last chunk: what it said was compared is compared again.
        guard let certificate = try await fenced({ try await certify(tally, of: step, partitions, on: $0) }) else {
            return try await verify(step)
        }
        reporter.update { $0.certificate = certificate }
        run.logger.info("verified", metadata: ["rows": "\(certificate.rowsCompared)"])
    }

    /// Issues the certificate, in the transaction that completes the step. Nil where the checkpoints do not say what was
    /// counted.
    private func certify(
        _ result: ChunkTally, of step: Step, _ partitions: ProvenPartitions, on connection: PostgresConnection
    ) async throws -> Certificate? {
        let server = try await ServerIdentity.read(connection)
        let position = try await connection.query("SELECT pg_current_wal_lsn()::text AS lsn").row().text("lsn")
        guard let ranges = try await plan.comparedRanges(of: ledger.id, walk: walk, on: connection) else { return nil }
        let certificate = try Certificate(
            planHash: plan.hash,
            rowsCompared: result.rows,
            oldSide: result.oldSide,
            newSide: result.newSide,
            mismatches: result.mismatches,
            triggers: try await TriggerFingerprint.read(plan, on: connection),
            walPosition: position,
            systemIdentifier: server.systemIdentifier,
            timeline: server.timeline,
            at: Date(),
            migration: ledger.id,
            database: server.database,
            walk: walk,
            ranges: ranges
        ).sealed()
        guard try certificate.flaw(of: ledger.id) == nil else { return nil }
        // Without a mapping there are none, and no step that noted them.
        let created =
            plan.mappings.isEmpty && plan.columnMoves.isEmpty
            ? certificate.triggers : try await ledger.read(connection)?.triggers
        guard created == certificate.triggers else {
            throw Interruption.stalled(
                reason: "ProofBroken",
                message: "a trigger of the dual write was dropped, disabled or replaced; " + ProofCheck.remedy)
        }
        // Rows that were right when they were compared, and were written since.
        if let flaw = try await BothSides.flaw(plan, on: connection) { throw flaw }
        try await ledger.set(certificate: certificate, on: connection)
        try await partitions.certify(on: connection)
        try await ledger.note(applied: step, walk: walk, on: connection)
        return certificate
    }
}

extension Mapping {
    /// The mappings of this one's table that are filled in one pass, in their order: neither names what another one fills.
    fileprivate func filledTogether(in plan: Plan) -> [Mapping] {
        plan.mappings.reduce(into: []) { together, other in
            guard other.table == table, other.remote == nil, other.writer != .application,
                together.allSatisfy({ !$0.names(newOf: other) && !other.names(newOf: $0) })
            else { return }
            together.append(other)
        }
    }

    private func names(newOf other: Mapping) -> Bool {
        let new = Set(other.new.map(\.name))
        return named.contains { new.contains($0.name) && !self.new.contains($0) }
    }
}
