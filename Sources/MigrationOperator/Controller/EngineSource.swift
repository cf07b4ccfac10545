internal import Foundation
internal import KubernetesClient
internal import Logging
internal import MigrationEngine
internal import PostgreSQL

/// The engine for a Migration's database, from the Secret that it names, which is read anew each time.
struct EngineSource: Sendable {
    let client: KubernetesClient
    let worker: String
    let leaseDuration: Duration
    let logger: Logger

    /// Why there is no engine. Nothing of the URL is in it.
    struct Failure: Error {
        var reason: String
        var message: String
    }

    /// - Parameter deadline: when its sessions are given up: for whoever only looks. A run takes as long as it takes.
    func engine(
        for migration: Migration, by deadline: ContinuousClock.Instant? = nil
    ) async throws -> MigrationEngine {
        guard let reference = migration.spec?.database?.urlFrom?.secretKeyRef else {
            throw Failure(
                reason: DatabaseFailure.invalidURL, message: "spec.database.urlFrom does not name a Secret")
        }
        let key = ObjectKey(reference.name, in: migration.metadata.namespace)
        guard let secret = try await client.find(Secret.self, key) else {
            throw Failure(
                reason: DatabaseFailure.secretNotFound,
                message: "there is no Secret \(reference.name) in this namespace")
        }
        guard let url = secret.string(reference.key)?.trimmingCharacters(in: .whitespacesAndNewlines), !url.isEmpty
        else {
            throw Failure(
                reason: DatabaseFailure.secretNotFound,
                message: "the Secret \(reference.name) has no text under the key \(reference.key)")
        }
        do {
            var database = try PostgresConfiguration(url: url, origin: .tenant, applicationName: "sluice/operator")
            database.deadline = deadline
            var logger = logger
            logger[metadataKey: "migration"] = "\(migration.key)"
            return MigrationEngine(
                database: database, worker: worker, leaseDuration: leaseDuration, logger: logger)
        } catch {
            throw Failure(
                reason: DatabaseFailure.invalidURL,
                message: "the URL in the Secret \(reference.name) cannot be used: \(error)")
        }
    }
}
