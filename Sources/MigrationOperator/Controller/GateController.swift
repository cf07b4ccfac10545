internal import ControllerRuntime
internal import Foundation
internal import KubernetesClient
internal import Logging
internal import MigrationEngine

/// Reads what ``decideGate(_:)`` wants to know of a Deployment, and performs what it says.
final class GateController: Sendable {
    private let client: KubernetesClient
    private let deployments: Store<Deployment>
    private let migrations: Store<Migration>
    private let proofs: any ProofSource
    private let recorder: EventRecorder
    private let logger: Logger
    private let lastWrites = LastWrites()

    init(
        client: KubernetesClient, deployments: Store<Deployment>, migrations: Store<Migration>,
        proofs: any ProofSource, recorder: EventRecorder, logger: Logger
    ) {
        self.client = client
        self.deployments = deployments
        self.migrations = migrations
        self.proofs = proofs
        self.recorder = recorder
        self.logger = logger
    }

    func reconcile(_ key: ObjectKey) async throws -> ReconcileResult {
        do {
            return try await decide(key)
        } catch let error as KubernetesError where error.code == .conflict {
            // Its controller writes often while it rolls out: the cache has that in a moment.
            return .requeue(after: .milliseconds(25))
        }
    }

    private func decide(_ key: ObjectKey) async throws -> ReconcileResult {
        guard let deployment = deployments[key] else {
            lastWrites.forget(key)
            return .done
        }
        guard lastWrites.isReached(by: deployment.metadata, for: key) else {
            return .requeue(after: .milliseconds(20))
        }
        let names = Self.required(deployment)
        let cached = Dictionary(
            names.map { name in (name, RequiredMigration(migrations[ObjectKey(name, in: key.namespace)])) },
            uniquingKeysWith: { first, _ in first })
        let decision = decideGate(GateInput(deployment: deployment, migrations: cached))
        let written = try await perform(decision, on: deployment)
        guard !decision.confirm.isEmpty else { return .done }

        let live = try await confirm(names, in: key.namespace)
        let confirmed = decideGate(GateInput(deployment: written, migrations: live, isLive: true))
        _ = try await perform(confirmed, on: written)
        let isOpen = live.values.allSatisfy { if case .open = $0 { true } else { false } }
        return isOpen ? .done : .requeue(after: .seconds(5))
    }

    /// The migrations that a Deployment's template names.
    static func required(_ deployment: Deployment) -> [String] {
        Requirement.parse(deployment.spec.template.annotations[SluiceName.requires]).map(\.migration)
    }

    /// The Migrations as they are now, each open one with a look at its proof in the target.
    private func confirm(_ names: [String], in namespace: String?) async throws -> [String: RequiredMigration] {
        var live: [String: RequiredMigration] = [:]
        for name in Set(names) {
            let migration = try await client.find(Migration.self, ObjectKey(name, in: namespace))
            var state = RequiredMigration(migration)
            if let migration, case .open(let plan) = state {
                state = try await proven(migration, plan)
            }
            live[name] = state
        }
        return live
    }

    private func proven(_ migration: Migration, _ plan: String) async throws -> RequiredMigration {
        do {
            switch try await proofs.checkProof(migration) {
            case .holds(let certificate) where certificate.planHash == plan:
                return .open(planHash: plan)
            case .holds:
                return .closed(reason: "the proof is of another plan", planHash: plan)
            case .broken(let reason):
                return .closed(reason: reason, planHash: plan)
            case .none:
                return .closed(reason: "there is no proof in the database", planHash: plan)
            }
        } catch let error as CancellationError {
            throw error
        } catch {
            // Neither yes nor no: what is open stays open, what is pending waits.
            logger.warning(
                "a proof could not be looked at", metadata: ["migration": "\(migration.key)", "error": "\(error)"])
            return .unsettled(planHash: plan)
        }
    }

    // MARK: Writing

    /// The Deployment as it is afterwards. What lets pods go on holds only for the version that was decided about.
    private func perform(_ decision: GateDecision, on deployment: Deployment) async throws -> Deployment {
        var deployment = deployment
        var untold = decision.events
        // Told with the first write: one of the next may fail on a version that has moved on, and is decided anew then.
        func tell() {
            for event in untold { record(event, deployment) }
            untold = []
        }
        do {
            // To hold is urgent: with every moment pods may begin. To let go waits until it is on record.
            if case .pause(let text)? = decision.hold {
                deployment = try await pause(deployment, text)
                tell()
            }
            if let stamp = decision.stamp {
                deployment = try await apply(stamp, to: deployment)
                tell()
            }
            switch decision.hold {
            case .release:
                // By force: who declares that it is not paused, and was held by the webhook, owns the field.
                deployment = try await hold(deployment, ["spec": ["paused": false]], keepsMark: true, force: true)
                tell()
                deployment = try await hold(deployment, [:], keepsMark: false)
            case .giveUp: deployment = try await hold(deployment, [:], keepsMark: false)
            case .pause, nil: break
            }
        } catch let error as KubernetesError where error.code == .notFound {
            return deployment
        }
        return deployment
    }

    private func pause(_ deployment: Deployment, _ text: String) async throws -> Deployment {
        do {
            return try await hold(deployment, ["spec": ["paused": true]], keepsMark: true, mark: text)
        } catch let error as KubernetesError
            where error.causes.contains(where: { $0.reason == "FieldManagerConflict" })
        {
            // Somebody's manifest says whether it is paused. We do not fight over it.
            record(
                .init(
                    .warning, "GateNotHeld",
                    "the rollout could not be held, since another manager owns spec.paused; take it out of the "
                        + "manifest: \(error.message)"), deployment)
            return deployment
        }
    }

    /// Applies all fields of the hold. Between the two steps of a release the mark stays, so that a crash there is seen.
    private func hold(
        _ deployment: Deployment, _ fields: JSONValue, keepsMark: Bool, mark: String? = nil, force: Bool = false
    ) async throws -> Deployment {
        var fields = fields
        var metadata = identity(deployment)
        // A template that came meanwhile is paused with it, and let go again if it requires nothing.
        if mark != nil { metadata["resourceVersion"] = nil }
        if keepsMark {
            let text = mark ?? deployment.metadata.annotations[SluiceName.held] ?? "released"
            metadata["annotations"] = [SluiceName.held: .string(text)]
        }
        fields["metadata"] = metadata
        return try await apply(fields, to: deployment, by: SluiceName.holdManager, force: force)
    }

    private func apply(_ stamp: GateDecision.Stamp, to deployment: Deployment) async throws -> Deployment {
        var metadata = identity(deployment)
        if !stamp.annotations.isEmpty {
            metadata["annotations"] = .object(stamp.annotations.mapValues { .string($0) })
        }
        return try await apply(
            ["metadata": metadata], to: deployment, by: SluiceName.stampManager, force: true)
    }

    /// Server-side apply makes what is not there, unless it is told which object is meant.
    private func identity(_ deployment: Deployment) -> JSONValue {
        var metadata: JSONValue = [:]
        metadata["uid"] = deployment.metadata.uid.map { .string($0) }
        metadata["resourceVersion"] = deployment.metadata.resourceVersion.map { .string($0) }
        return metadata
    }

    private func apply(
        _ fields: JSONValue, to deployment: Deployment, by manager: String, force: Bool
    ) async throws -> Deployment {
        let written = try await client.apply(
            Deployment.self, deployment.key, fields, fieldManager: manager, force: force)
        lastWrites.wrote(written)
        return written
    }

    private func record(_ event: MigrationEvent, _ deployment: Deployment) {
        recorder.record(
            event.severity == .warning ? .warning : .normal,
            regarding: ObjectReference(Deployment.resource, deployment.metadata), reason: event.reason,
            note: event.message)
    }
}
