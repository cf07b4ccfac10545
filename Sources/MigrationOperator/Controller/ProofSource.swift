internal import MigrationEngine
internal import SchemaChange

/// Who looks at the database of a Migration, live.
protocol ProofSource: Sendable {
    func checkProof(_ migration: Migration) async throws -> ProofCheck
    /// Whether the columns of this plan are there.
    func hasExpanded(_ migration: Migration, _ planHash: String) async throws -> Bool
}

extension EngineSource: ProofSource {
    func checkProof(_ migration: Migration) async throws -> ProofCheck {
        try await engine(for: migration).checkProof(migration.migrationName)
    }

    func hasExpanded(_ migration: Migration, _ planHash: String) async throws -> Bool {
        let report = try await engine(for: migration).observe(migration.migrationName)
        return report.map { $0.phase >= .expand && $0.planHash == planHash } ?? false
    }
}
