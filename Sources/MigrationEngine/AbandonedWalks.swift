internal import DurableExecution
internal import DurablePromises
internal import Logging
internal import PostgreSQL

/// What walks that are over left pending: their roots, steps and questions, which nobody keeps any more. They are cancelled,
/// so that whoever waits for one is told, nobody answers what is not asked, and they can be removed one day.
///
/// The ledger alone says that a walk is over: its number only rises, and no worker begins anything of a lower one. So
/// whoever reads it may do this, without a lease, late, and beside others who do. A worker that was late and still holds
/// such a walk's task loses it.
struct AbandonedWalks: Sendable {
    private let migration: String
    /// The first walk that is not over; nil when all are.
    private let present: Int64?
    private let reason: String

    /// The walks before that of `record`.
    init(before record: LedgerRecord) {
        migration = record.id
        present = record.walk
        reason = "the walk \(record.promise) took its place"
    }

    /// All walks of a migration that is about to be forgotten.
    init(ofRemoved migration: String) {
        self.migration = migration
        present = nil
        reason = "the migration \(migration) was removed"
    }

    /// Cancels them, through the promises' store. Does nothing when there are none; may be repeated.
    func cancel(by engine: MigrationEngine, schema: String, on connection: PostgresConnection) async throws {
        let ids = try await pending(on: connection)
        guard !ids.isEmpty else { return }
        let value = DurableFailure(name: "WalkEnded", message: reason).promiseValue
        try await engine.withPromises(of: schema) { try await $0.cancel(ids, value: value) }
        engine.logger.notice(
            "promises of earlier walks are cancelled",
            metadata: ["migration": "\(migration)", "promises": "\(ids.count)", "reason": "\(reason)"])
    }

    /// A root stands before what belongs to it, so that whoever still holds its task makes nothing new there.
    private func pending(on connection: PostgresConnection) async throws -> [String] {
        let prefix = WalkID.prefix(migration)
        // In bytes, 0 comes after /.
        return try await connection.query(
            "SELECT id FROM sluice.promise WHERE id > $1 AND id < $2 AND state = 'pending' ORDER BY id",
            [.text(prefix), .text(prefix.dropLast() + "0")]
        ).rows.compactMap { $0[0] }.filter { id in
            guard let walk = WalkID.number(id, of: migration) else { return false }
            return present.map { walk < $0 } ?? true
        }
    }
}
