internal import Backfill
internal import PostgreSQL
internal import SchemaChange

/// Partitions that were attached after the table was walked: their rows were written past the triggers. They are filled
/// and compared by themselves, each once.
extension ClaimedTravel {
    /// Fills and compares the rows of those that are not proven.
    ///
    /// - Throws: a stalled ``Interruption`` that names rows which are not as their side says.
    func provePartitions() async throws {
        let record = travel.record
        for partition in try await pool.withConnection({ try await record.partitions.unproven(on: $0) }) {
            announce("Filling", "filling and comparing \(partition.name), which is new")
            for (index, mapping) in record.plan.mappings.enumerated() where mapping.table.quoted == partition.table {
                let isArchived = try await pool.withConnection { try await self.isArchived(mapping, on: $0) }
                try await fill(partition, index, isArchived: isArchived)
                if !isArchived { try await compare(partition, index) }
            }
            try await fenced { connection in
                let known = try await ledger.read(connection)?.triggers
                guard try await TriggerFingerprint.read(record.plan, on: connection) == known else { return }
                _ = try await record.partitions.prove(partition, on: connection)
            }
        }
    }

    /// Fills those that hold rows without a side; false when there are none. All other rows had triggers since they were
    /// written.
    func fillAttached() async throws -> Bool {
        let record = travel.record
        var isFilled = false
        for partition in try await pool.withConnection({ try await record.partitions.unproven(on: $0) }) {
            for (index, mapping) in record.plan.mappings.enumerated() where mapping.table.quoted == partition.table {
                let found = try await pool.withConnection {
                    try await $0.query(
                        "SELECT FROM \(partition.name.quoted) WHERE \(mapping.marker.quotedIdentifier) IS NULL LIMIT 1")
                }
                guard found.affectedRows > 0 else { continue }
                announce("Filling", "filling \(partition.name), which is new")
                try await fill(partition, index, isArchived: false)
                isFilled = true
            }
        }
        return isFilled
    }

    private func fill(_ partition: ProvenPartitions.Partition, _ index: Int, isArchived: Bool) async throws {
        try await walk(partition, index, "fill") { .adopt($0, isArchived: isArchived) }
    }

    private func compare(_ partition: ProvenPartitions.Partition, _ index: Int) async throws {
        let tally = try await walk(partition, index, "compare") { .compare($0) }
        guard tally.mismatches > 0 else { return }
        let keys = tally.examples.map { "(\($0))" }.joined(separator: ", ")
        throw Interruption.stalled(
            reason: "Mismatch",
            message:
                "\(tally.mismatches) of \(tally.rows) rows of \(partition.name) are not as their side says, among them "
                + "keys \(keys); nothing was repaired: \(ProofCheck.mend), and it is verified "
                + "again")
    }

    /// To its end; then it leaves no checkpoints, so that the same partition may be walked again.
    @discardableResult
    private func walk(
        _ partition: ProvenPartitions.Partition, _ index: Int, _ pass: String,
        _ statement: (Mapping) -> ChunkStatement
    ) async throws -> ChunkTally {
        let step = "partition/\(partition.relation)/\(partition.triggers)/\(index)/\(pass)"
        let place = TableWalk.Place(fence: fence, walk: travel.record.walk, step: step)
        let mapping = plan.mappings[index].of(partition.name)
        let tally = try await TableWalk(
            statement(mapping), at: place, pool: pool, pace: pace, logger: run.logger
        ).run { _ in }
        try await fenced { try await ledger.forgetCheckpoints(step: step, walk: travel.record.walk, on: $0) }
        return tally
    }

    /// Whether its old columns stand in the archive, where they are called otherwise.
    private func isArchived(_ mapping: Mapping, on connection: PostgresConnection) async throws -> Bool {
        guard let old = mapping.old.first else { return false }
        return try await connection.query(
            "SELECT FROM pg_attribute WHERE attrelid = to_regclass($1) AND attname = $2 AND NOT attisdropped",
            [.text(mapping.table.quoted), .text(mapping.archived(old))]
        ).affectedRows > 0
    }
}
