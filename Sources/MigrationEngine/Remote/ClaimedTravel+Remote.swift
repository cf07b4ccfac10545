internal import Backfill
internal import PostgreSQL
internal import SchemaChange

/// What is different where a worker computes the new side: rows are asked about, and may have to be asked about again
/// whenever the old version wrote them.
extension ClaimedTravel {
    /// Nil for a mapping that SQL computes.
    func remoteWalk(_ mapping: Mapping, of step: String, checkpoints: String) -> RemoteWalk? {
        let place = TableWalk.Place(fence: fence, walk: travel.record.walk, step: checkpoints)
        let calls = WorkerCalls(travel: self) { reporter.working(step, reason: "WaitingForWorker", $0) }
        return RemoteWalk(
            mapping, at: place, asking: calls, pool: pool, workers: travel.workers, logger: travel.run.logger)
    }

    /// Asks about the rows that the old version has written since: before anything else is done with a migration that is
    /// proven. With `all`, until none is left.
    ///
    /// - Throws: `Interruption.waiting` when they are written faster than they are answered.
    func fillRest(all: Bool = false) async throws {
        for (index, mapping) in travel.record.plan.mappings.enumerated() where mapping.remote != nil {
            guard try await pool.withConnection({ try await RemoteWalk.isUnfilled(mapping, on: $0) }) else { continue }
            travel.run.doing = "filling rows of \(mapping.table) that were written meanwhile"
            reporter.working("Filling", reason: "Filling", travel.run.doing)
            guard let walk = remoteWalk(mapping, of: "Filling", checkpoints: "rest/\(index)") else { continue }
            let left = try await walk.fillRest(all: all) { _ in
            } yielded: { _ in
                try await Task.sleep(for: .milliseconds(100))
            }
            if all, left > 0 {
                throw Interruption.waiting(
                    reason: "WaitingForWorker",
                    message:
                        "\(mapping.table): the old version still writes rows, faster than \(mapping.remote!.target) "
                        + "answers; \(left) of them were not filled at the last look"
                )
            }
        }
    }

    /// The walk ends: whatever of its calls and of earlier walks' is left goes.
    func forgetCalls() async throws {
        try await WorkerCalls.forgetAll(of: travel.run.ledger, in: client) { try await fenced($0) }
    }

    /// Whether no row is left to be asked about; under the lock that keeps others from writing one.
    func isFilled(on connection: PostgresConnection) async throws -> Bool {
        for mapping in travel.record.plan.mappings where mapping.remote != nil {
            if try await RemoteWalk.isUnfilled(mapping, on: connection) { return false }
        }
        return true
    }
}

extension LedgerRecord {
    /// Whether it is proven, and has rows whose new side a worker has still to be asked for.
    func needsFilling(on connection: PostgresConnection) async throws -> Bool {
        guard phase == .backfill, certificate != nil else { return false }
        for mapping in plan.mappings where mapping.remote != nil {
            if try await RemoteWalk.isUnfilled(mapping, on: connection) { return true }
        }
        return false
    }
}

extension MigrationEngine {
    /// Whether a verified migration has rows that a worker has still to be asked about, or partitions that have come since and
    /// are to be compared: ``run(_:uid:spec:to:guards:report:)``
    /// does so. Changes nothing.
    public func needsFilling(_ name: MigrationName) async throws -> Bool {
        try await looking { connection in
            guard let record = try await Ledger(name: name).read(connection) else { return false }
            if try await record.needsFilling(on: connection) { return true }
            guard record.phase == .backfill else { return false }
            return try await record.hasUnprovenPartitions(on: connection)
        } ?? false
    }
}
