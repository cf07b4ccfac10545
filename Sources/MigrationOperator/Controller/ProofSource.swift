internal import MigrationEngine

/// Who looks at the proof of a Migration in its database, live.
protocol ProofSource: Sendable {
    func checkProof(_ migration: Migration) async throws -> ProofCheck
}

extension EngineSource: ProofSource {
    func checkProof(_ migration: Migration) async throws -> ProofCheck {
        try await engine(for: migration).checkProof(migration.migrationName)
    }
}
