internal import Logging
internal import PostgreSQL
internal import SchemaChange

/// The statements of a step, and what must hold while they run.
extension ClaimedTravel {
    /// In one transaction with the ledger's note. A lock that is not to be had soon is asked for again, with jitter, and
    /// whoever holds it is named; whether it still may be done is asked anew each time.
    ///
    /// What cannot be had back is done only while the triggers are those that kept both sides right, which is looked at
    /// under the lock.
    ///
    /// - Parameters:
    ///   - table: what the step's table is called now, where that is not as ever.
    ///   - lock: the strongest that these statements take, where it is not the step's.
    func execute(
        _ statements: [String],
        of step: Step,
        hurts: Hurt = .nobody,
        looksAtTriggers: Bool = false,
        table: TableName? = nil,
        lock: String? = nil,
        note: (PostgresConnection) async throws -> Void
    ) async throws {
        try await retryingLostRaces(step) {
            try await requireGuards(hurts)
            if hurts == .oldVersion { try await fillRest(all: true) }
            try await fenced { connection in
                let before =
                    step.phase == .backfill
                    ? nil : try await TriggerRecord(of: step, plan, ledger, on: connection)
                let partitions = ProvenPartitions(plan, of: ledger.id)
                let proven = before == nil ? [] : try await partitions.proven(on: connection)
                if !statements.isEmpty {
                    try await PartitionLock(lock ?? step.lock, table ?? step.table)?.take(on: connection)
                }
                if hurts != .nobody || looksAtTriggers {
                    if let table = table ?? step.table, (lock ?? step.lock) == "ACCESS EXCLUSIVE" {
                        try await connection.query("LOCK TABLE \(table.quoted) IN ACCESS EXCLUSIVE MODE")
                    }
                    let record = try await ledger.read(connection)
                    try await record?.requireTriggers(of: plan, on: connection)
                    if hurts == .newVersion { try record?.requireComparison() }
                    try await requirePartitions(looksAtTriggers, on: connection)
                }
                if hurts == .oldVersion {
                    if try await !isFilled(on: connection) { throw Unfilled() }
                    if let flaw = try await BothSides.flaw(plan, on: connection) { throw flaw }
                }
                // One round trip: a lock is not held over more than it takes.
                if !statements.isEmpty {
                    for result in try await connection.pipeline(statements.map { PostgresStatement($0) }) {
                        _ = try result.get()
                    }
                }
                // Statements of the user's may have set something; the session is used again.
                if step.lock == nil { try await connection.execute("RESET SESSION AUTHORIZATION; RESET ALL") }
                if step.phase == .dualWrite, step.id != plan.repairID {
                    try await ledger.forgetFilled(on: connection)
                }
                try await before?.take(over: ledger, on: connection)
                try await partitions.keep(proven, on: connection)
                try await note(connection)
            }
        }
    }

    /// Runs `body` until nobody is in its way: a lock that is not to be had in time, a deadlock. Pauses in between, longer
    /// and longer, so that everybody else passes, and says who it is.
    func retryingLostRaces(_ step: Step, _ body: () async throws -> Void) async throws {
        for attempt in 1... {
            do {
                return try await body()
            } catch is Unfilled {
                continue
            } catch let error as PostgresError where Violators.arePossible(error) {
                throw try await pool.withConnection { try await Violators.named(error, travel.run.doing, on: $0) }
            } catch is PartitionLock.TakesTooLong {
                reporter.working(
                    step.stepName, reason: "WaitingForLock",
                    "\(step.title): not all partitions could be locked at once; attempt \(attempt)")
                try await pause(after: attempt)
            } catch let error as PostgresError where error.isLostRace {
                try await pool.withConnection {
                    try await reportLock(step, on: step.table, suffix: "; attempt \(attempt)", asking: $0)
                }
                run.logger.notice("waiting for a lock", metadata: ["step": "\(step.title)", "attempt": "\(attempt)"])
                try await pause(after: attempt)
            }
        }
    }

    private func pause(after attempt: Int) async throws {
        let pause = min(5, 0.2 * Double(1 << min(attempt, 6))) * Double.random(in: 0.5...1)
        try await Task.sleep(for: .seconds(pause))
    }

    /// The old version wrote a row just before the lock was there, and a worker has to be asked about it.
    fileprivate struct Unfilled: Error {}

    /// One that has come since the last look has rows that nobody has compared.
    ///
    /// - Parameter leavesArchive: the certificate is gone then, and what has no old side yet would be filled from none.
    private func requirePartitions(_ leavesArchive: Bool, on connection: PostgresConnection) async throws {
        guard let record = try await ledger.read(connection), leavesArchive || record.certificate != nil else { return }
        guard let new = try await record.partitions.unproven(on: connection).first else { return }
        throw Interruption.waiting(
            reason: "WaitingForPartitions",
            message: "partition \(new.name) has just come; its rows are filled and compared first")
    }

    /// Says that a step waits for a lock, and who holds it: everybody but this migration's workers.
    func reportLock(
        _ step: Step,
        on table: TableName?,
        suffix: String = "",
        asking connection: PostgresConnection
    ) async throws {
        var message = "\(step.title): found a table locked\(suffix)"
        let tables = [table, step.otherTable, step.undoneAs].compactMap(\.self)
        if let table, let blockers = try await LockBlockers.describe(tables, except: ledger.id, on: connection) {
            message = "\(step.title): \(table) is locked by \(blockers)\(suffix)"
        }
        reporter.working(step.stepName, reason: "WaitingForLock", message)
    }

    /// What must hold outside the database just before a step that takes something from a version of the application.
    func requireGuards(_ hurts: Hurt) async throws {
        switch hurts {
        case .nobody: break
        case .oldVersion:
            reporter.working("Guarding", reason: "Guarding", "looking whether the old version is gone")
            try await pool.withConnection { try await travel.requireContractGuards(on: $0) }
        case .newVersion: try await pool.withConnection { try await travel.requireMayGoBack(on: $0) }
        }
    }

    /// Whom a step would take something from, if they were still there.
    enum Hurt {
        case nobody, oldVersion, newVersion
    }
}
