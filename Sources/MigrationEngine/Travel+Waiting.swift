internal import Foundation
internal import PostgreSQL
internal import SchemaChange

/// What a walk waits for, and what must hold before it goes on.
extension Travel {
    /// Whether nobody needs what would go below Backfill.
    func requireMayGoBack(on connection: PostgresConnection) async throws {
        try await requireNoSession(
            of: spec.contract?.newSessions, roles: spec.contract?.newRoles, "new", on: connection)
        try await require(run.guards.mayGoBack(to: target))
    }

    private func require(_ verdict: GuardVerdict) throws {
        if case .waiting(let reason, let message) = verdict {
            throw Interruption.waiting(reason: reason, message: message)
        }
    }

    private func requireBothSides(_ record: LedgerRecord, on connection: PostgresConnection) async throws {
        if let flaw = try await record.unevenness(on: connection) { throw flaw }
    }

    func requireProof(on connection: PostgresConnection) async throws {
        guard record.phase >= .backfill else { return }
        try await requireBothSides(record, on: connection)
        switch try await ProofCheck.look(at: record, on: connection) {
        case .holds: break
        case .broken(let reason): throw Interruption.stalled(reason: "ProofBroken", message: reason)
        case .none:
            throw Interruption.stalled(
                reason: "ProofBroken",
                message: "the ledger has no certificate; \(ProofCheck.remedy)"
            )
        }
    }

    /// What must hold before the first thing is done that takes something from the old version. Looked at live.
    func requireContractGuards(on connection: PostgresConnection) async throws {
        let current = try await ledger.read(connection)
        if let current {
            try await requireBothSides(current, on: connection)
            try await Latecomers.require(none: .onOldColumns, current, on: connection)
        }
        let certificate: Certificate
        switch try await ProofCheck.look(at: current, on: connection) {
        case .holds(let proof): certificate = proof
        case .broken(let reason): throw Interruption.stalled(reason: "ProofBroken", message: reason)
        case .none:
            throw Interruption.stalled(
                reason: "ProofBroken", message: "the backfill is not proven any more; \(ProofCheck.remedy)")
        }
        let asked = spec.contract?.soak?.duration
        let soak = asked ?? .seconds(3600)
        let soaked = certificate.at.addingTimeInterval(soak / .seconds(1))
        if soaked > Date() {
            throw Interruption.waiting(
                reason: "Soaking",
                message: "contract waits until \(soaked.formatted(.iso8601)), "
                    + (asked == nil ? "1h after the proof: contract.soak is not given" : "as contract.soak says")
            )
        }
        if spec.approval == .required {
            let approval = PublicPromise.approval(of: record.planHash, under: record.promise)
            try await run.engine.withPromises(of: spec.schema) {
                try await approval.require(on: $0, answeredBy: run.guards)
            }
        }
        try await requireNoSession(
            of: spec.contract?.oldSessions, roles: spec.contract?.oldRoles, "old", on: connection)
        try await require(run.guards.mayContract())
    }

    /// By name and role only: when a session of another role began, one may not see without `pg_read_all_stats`.
    private func requireNoSession(
        of names: [String]?,
        roles: [String]?,
        _ version: String,
        on connection: PostgresConnection
    ) async throws {
        guard names?.isEmpty == false || roles?.isEmpty == false else { return }
        let sessions = try await connection.query(
            """
            SELECT pid::text, CASE WHEN application_name = '' THEN usename::text ELSE application_name END
            FROM pg_stat_activity
            WHERE datname = current_database() AND application_name NOT LIKE 'sluice/%'
                AND (application_name = ANY ($1::text[]) OR usename::text = ANY ($2::text[]))
            ORDER BY pid LIMIT 3
            """,
            [.textArray(names ?? []), .textArray(roles ?? [])]
        ).rows
        guard sessions.isEmpty else {
            let list = sessions.map { "\($0[1] ?? "?") (pid \($0[0] ?? "?"))" }.joined(separator: ", ")
            throw Interruption.waiting(
                reason: "WaitingForSessions",
                message: "sessions of the \(version) version are still open: \(list)"
            )
        }
    }
}
