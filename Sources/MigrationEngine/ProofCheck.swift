internal import PostgreSQL
internal import SchemaChange

/// Whether a migration's proof still holds.
public enum ProofCheck: Sendable, Hashable {
    case holds(Certificate)
    /// `reason` says what is not as it was, and what to do.
    case broken(reason: String)
    /// There is no proof yet, or no more.
    case none
}

extension ProofCheck {
    /// What to do about triggers that are not as they were.
    static let remedy =
        "set phase: DualWrite, which makes the triggers again, and then phase: Backfill, "
        + "which compares every row and names those that were written meanwhile"

    /// What to do about a certificate that is none.
    static let anew = "set phase: DualWrite, and then phase: Backfill, which compares every row and issues another"

    /// What to do about rows whose sides disagree. An old column that keeps its value does not count as written.
    static let mend =
        "update in each the columns of the side that is right (an old column that has the right value already, to another one "
        + "first); sluice verify --repair-sql lists them, with SQL for some"

    /// A live look at triggers, server and plan. Rows are not read: what the triggers keep need not be. What they cannot
    /// keep and only note, where the application writes both sides, is looked for.
    static func look(at record: LedgerRecord?, on connection: PostgresConnection) async throws -> ProofCheck {
        guard let record, let certificate = record.certificate, record.phase >= .backfill else { return .none }
        guard certificate.planHash == record.planHash else {
            return .broken(reason: "the certificate is for another plan")
        }
        if let flaw = try certificate.flaw(of: record.id) { return .broken(reason: "\(flaw); \(anew)") }
        if record.phase < .contract {
            let server = try await ServerIdentity.read(connection)
            guard server.systemIdentifier == certificate.systemIdentifier, server.timeline == certificate.timeline
            else {
                return .broken(reason: "the server was restored or failed over since; it must be proven again")
            }
            guard certificate.database == nil || certificate.database == server.database else {
                return .broken(
                    reason: "the certificate was issued to another database, \(certificate.database ?? ""); \(anew)")
            }
            let walked = try await record.plan.comparedRanges(
                of: record.id, walk: certificate.walk, on: connection)
            if let flaw = certificate.flaw(against: walked) { return .broken(reason: "\(flaw); \(anew)") }
        }
        // Before the triggers, which go with a column that is dropped. On the way, indexes come and go outside of transactions.
        if record.target == record.phase, let difference = try await Drift.find(record, on: connection) {
            return .broken(reason: "\(Drift.reason): \(difference)")
        }
        // After Contract nobody writes the old columns any more.
        if record.phase == .contract { return .holds(certificate) }
        if record.isInDoubt { return .broken(reason: "\(LedgerRecord.doubt); \(remedy)") }
        // In the middle of Contract some triggers have made way for those of the archive; the ledger says which.
        let isContracting = record.plan.steps(of: .contract).contains { record.applied.contains($0.id) }
        let expected = isContracting ? record.triggers ?? TriggerFingerprint.none : certificate.triggers
        guard try await TriggerFingerprint.read(record.plan, on: connection) == expected else {
            return .broken(
                reason: "a trigger that keeps both sides right was dropped, disabled or replaced since it was proven; "
                    + remedy
            )
        }
        if let flaw = try await record.partitions.flaw(isContracting: isContracting, on: connection) {
            return .broken(reason: flaw)
        }
        if let flaw = try await record.unevenness(on: connection) { return .broken(reason: flaw.message) }
        return .holds(certificate)
    }
}
