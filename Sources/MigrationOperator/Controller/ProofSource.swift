internal import MigrationEngine
internal import SchemaChange

/// Who looks at the database of a Migration, live, and fails at the deadline.
protocol ProofSource: Sendable {
    func checkProof(_ migration: Migration, by deadline: ContinuousClock.Instant) async throws -> ProofCheck
    /// Whether the columns of this plan are there.
    func hasExpanded(
        _ migration: Migration, _ planHash: String, by deadline: ContinuousClock.Instant
    ) async throws -> Bool
}

extension EngineSource: ProofSource {
    func checkProof(_ migration: Migration, by deadline: ContinuousClock.Instant) async throws -> ProofCheck {
        try await engine(for: migration, by: deadline).checkProof(migration.migrationName)
    }

    func hasExpanded(
        _ migration: Migration, _ planHash: String, by deadline: ContinuousClock.Instant
    ) async throws -> Bool {
        let report = try await engine(for: migration, by: deadline).observe(migration.migrationName)
        return report.map { $0.phase >= .expand && $0.planHash == planHash } ?? false
    }
}
