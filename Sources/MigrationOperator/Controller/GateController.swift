internal import ControllerRuntime
internal import Foundation
internal import KubernetesClient
internal import Logging
internal import MigrationEngine
internal import Synchronization

/// Reads what ``decideGate(_:)`` wants to know of a workload, and performs what it says.
///
/// Two loops call it. The one that holds looks only at caches, so that no workload waits there for another's database; the
/// one that confirms reads live, and is where a gate opens.
final class GateController: Sendable {
    private let client: KubernetesClient
    private let workloads: WorkloadWatch
    private let migrations: Store<Migration>
    private let proofs: any ProofSource
    private let recorder: EventRecorder
    private let logger: Logger
    private let needsConfirmation: @Sendable (WorkloadKey) -> Void
    /// Which templates were told to have begun before their hold.
    private let told = Mutex<[WorkloadKey: String]>([:])
    private let lastWrites = Dictionary(uniqueKeysWithValues: WorkloadKind.allCases.map { ($0, LastWrites()) })

    /// - Parameter needsConfirmation: is called with what ``confirm(_:)`` has to be called with, soon.
    init(
        client: KubernetesClient, workloads: WorkloadWatch, migrations: Store<Migration>, proofs: any ProofSource,
        recorder: EventRecorder, logger: Logger, needsConfirmation: @escaping @Sendable (WorkloadKey) -> Void
    ) {
        self.client = client
        self.workloads = workloads
        self.migrations = migrations
        self.proofs = proofs
        self.recorder = recorder
        self.logger = logger
        self.needsConfirmation = needsConfirmation
    }

    /// Decides by the caches: holds and stamps, but opens nothing.
    func reconcile(_ key: WorkloadKey) async throws -> ReconcileResult {
        try await decide(key) { workload, decision in
            _ = try await perform(decision, on: workload)
            if !decision.confirm.isEmpty { needsConfirmation(key) }
            return .done
        }
    }

    /// Decides by what is live, where the caches say that the gate may open.
    func confirm(_ key: WorkloadKey) async throws -> ReconcileResult {
        try await decide(key) { workload, decision in
            guard !decision.confirm.isEmpty else { return .done }
            let live = try await read(decision.confirm, in: key.key.namespace)
            let confirmed = decideGate(GateInput(workload: workload, required: live, isLive: true))
            _ = try await perform(confirmed, on: workload)
            return live.values.allSatisfy(\.isOpen) ? .done : .requeue(after: .seconds(5))
        }
    }

    /// What the caches say, for `body` to act on; again in a moment where they are behind.
    private func decide(
        _ key: WorkloadKey, _ body: (Workload, GateDecision) async throws -> ReconcileResult
    ) async throws -> ReconcileResult {
        guard let workload = workloads[key] else {
            lastWrites[key.kind]?.forget(key.key)
            told.withLock { $0[key] = nil }
            return .done
        }
        guard lastWrites[key.kind]?.isReached(by: workload.metadata, for: key.key) ?? true else {
            return .requeue(after: .milliseconds(20))
        }
        var cached: [Requirement: RequiredMigration] = [:]
        for requirement in workload.requirements {
            let migration = migrations[ObjectKey(requirement.migration, in: key.key.namespace)]
            cached[requirement] = RequiredMigration(migration, for: requirement.level)
        }
        do {
            return try await body(workload, decideGate(GateInput(workload: workload, required: cached)))
        } catch let error as KubernetesError where error.code == .conflict {
            // Its controller writes often while it rolls out: the cache has that in a moment.
            return .requeue(after: .milliseconds(25))
        }
    }

    /// The Migrations as they are now, each open one with a look at what its database says: one deadline for all.
    private func read(
        _ requirements: [Requirement], in namespace: String?
    ) async throws -> [Requirement: RequiredMigration] {
        let deadline = ContinuousClock.now + Timing.look
        var live: [Requirement: RequiredMigration] = [:]
        for requirement in requirements {
            let migration = try await client.find(Migration.self, ObjectKey(requirement.migration, in: namespace))
            var state = RequiredMigration(migration, for: requirement.level)
            if let migration, case .open(let plan) = state {
                state = try await asked(migration, requirement.level, plan, by: deadline)
            }
            live[requirement] = state
        }
        return live
    }

    private func asked(
        _ migration: Migration, _ level: Requirement.Level, _ plan: String, by deadline: ContinuousClock.Instant
    ) async throws -> RequiredMigration {
        do {
            if level == .expanded {
                let isThere = try await proofs.hasExpanded(migration, plan, by: deadline)
                return isThere
                    ? .open(planHash: plan) : .closed(reason: "the database does not have the columns", planHash: plan)
            }
            return try await proven(migration, plan, by: deadline)
        } catch let error as CancellationError {
            throw error
        } catch {
            // Neither yes nor no: what is open stays open, what is pending waits.
            logger.warning(
                "a proof could not be looked at", metadata: ["migration": "\(migration.key)", "error": "\(error)"])
            return .unsettled(planHash: plan)
        }
    }

    private func proven(
        _ migration: Migration, _ plan: String, by deadline: ContinuousClock.Instant
    ) async throws -> RequiredMigration {
        switch try await proofs.checkProof(migration, by: deadline) {
        case .holds(let certificate) where certificate.planHash == plan:
            .open(planHash: plan)
        case .holds:
            .closed(reason: "the proof is of another plan", planHash: plan)
        case .broken(let reason):
            .closed(reason: reason, planHash: plan)
        case .none:
            .closed(reason: "there is no proof in the database", planHash: plan)
        }
    }

    // MARK: Writing

    /// The workload as it is afterwards. What lets pods go on holds only for the version that was decided about.
    private func perform(_ decision: GateDecision, on workload: Workload) async throws -> Workload {
        var workload = workload
        var untold = decision.events
        // Told with the first write: one of the next may fail on a version that has moved on, and is decided anew then.
        func tell() {
            for event in untold { record(event, workload) }
            untold = []
        }
        do {
            // To hold is urgent: with every moment pods may begin. To let go waits until it is on record.
            if case .pause(let text)? = decision.hold {
                workload = try await pause(workload, text)
                // It was told why, where it could not be.
                if !workload.isPaused { untold.removeAll { $0.reason == MigrationEvent.gateHeld } }
                tell()
            }
            if let stamp = decision.stamp {
                workload = try await apply(stamp, to: workload)
                tell()
            }
            switch decision.hold {
            case .release:
                workload = try await unpause(workload)
                tell()
                workload = try await giveUp(workload)
            case .giveUp: workload = try await giveUp(workload)
            case .pause, nil: break
            }
            tellLate(decision, workload)
        } catch let error as KubernetesError where error.code == .notFound {
            return workload
        }
        return workload
    }

    /// Once for each template, by this process.
    private func tellLate(_ decision: GateDecision, _ workload: Workload) {
        guard let late = decision.late else { return }
        let key = WorkloadKey(workload.kind, workload.key)
        let template = "\(workload.metadata.uid ?? "") \(TemplateHash.of(workload.template))"
        let isNews = told.withLock { told in
            defer { told[key] = template }
            return told[key] != template
        }
        if isNews { record(MigrationEvent(.warning, MigrationEvent.gateNotHeld, late), workload) }
    }

    private func pause(_ workload: Workload, _ text: String) async throws -> Workload {
        do {
            let held = try await hold(
                workload, workload.fields(paused: true), keepsMark: true, mark: text,
                force: !workload.isHeldFieldDeclared)
            guard !held.isPaused else { return held }
            record(notHeld(Self.unknownField(workload)), workload)
            return try await giveUp(held)
        } catch let error as KubernetesError where error.isFieldConflict {
            record(
                notHeld("\(workload.heldField) stands in a manifest; take it out there: \(error.message)"), workload)
            return workload
        } catch let error as KubernetesError where error.message.contains("field not declared in schema") {
            record(notHeld(Self.unknownField(workload)), workload)
            return workload
        }
    }

    private func unpause(_ workload: Workload) async throws -> Workload {
        if workload.notedPartition != nil { return try await restore(workload) }
        do {
            return try await hold(
                workload, workload.fields(paused: false), keepsMark: true,
                // A manifest that declares it and was held by the webhook nevertheless says what we write here.
                force: workload.isHeldByWebhook || !workload.isHeldFieldDeclared)
        } catch let error as KubernetesError where error.isFieldConflict {
            // A manifest declares it by now: what it says stands, and ours is only given up.
            return workload
        }
    }

    /// Writes what was there before the hold. Not by applying it: what is applied goes when we give it up.
    private func restore(_ workload: Workload) async throws -> Workload {
        guard workload.isHeldByWebhook || !workload.isHeldFieldDeclared else { return workload }
        var fields = workload.fields(paused: false)
        fields["metadata"] = identity(workload)
        return try await patch(fields, of: workload)
    }

    /// Takes off what is left of a hold. The mark that the webhook set is nobody's, or of whoever wrote the object then.
    private func giveUp(_ workload: Workload) async throws -> Workload {
        var workload = workload
        if workload.hasFieldsOfHold { workload = try await hold(workload, [:], keepsMark: false) }
        let marks = [SluiceName.held, SluiceName.heldFrom].filter { workload.metadata.annotations[$0] != nil }
        guard !marks.isEmpty else { return workload }
        var metadata = identity(workload)
        metadata["annotations"] = .object(Dictionary(uniqueKeysWithValues: marks.map { ($0, .null) }))
        return try await patch(["metadata": metadata], of: workload)
    }

    /// Such as a Job's suspend before Kubernetes 1.21. Some servers refuse what they do not know, others drop it.
    private static func unknownField(_ workload: Workload) -> String {
        "this server does not know \(workload.heldField) of a \(workload.kind.rawValue)"
    }

    private func notHeld(_ reason: String) -> MigrationEvent {
        MigrationEvent(.warning, MigrationEvent.gateNotHeld, "the rollout could not be held: \(reason)")
    }

    /// Applies all fields of the hold. Between the two steps of a release the mark stays, so that a crash there is seen.
    private func hold(
        _ workload: Workload, _ fields: JSONValue, keepsMark: Bool, mark: String? = nil, force: Bool = false
    ) async throws -> Workload {
        var fields = fields
        var metadata = identity(workload)
        // A template that came meanwhile is paused with it, and let go again if it requires nothing. But the partition that
        // is noted has to be the one that is overwritten.
        if mark != nil, workload.kind != .statefulSet { metadata["resourceVersion"] = nil }
        if keepsMark {
            let text = mark ?? workload.metadata.annotations[SluiceName.held] ?? "released"
            var annotations: JSONValue = [SluiceName.held: .string(text)]
            let was = mark != nil ? workload.heldFrom : workload.metadata.annotations[SluiceName.heldFrom]
            annotations[SluiceName.heldFrom] = was.map { .string($0) }
            metadata["annotations"] = annotations
        }
        fields["metadata"] = metadata
        return try await apply(fields, to: workload, by: SluiceName.holdManager, force: force)
    }

    private func apply(_ stamp: GateDecision.Stamp, to workload: Workload) async throws -> Workload {
        var metadata = identity(workload)
        if !stamp.annotations.isEmpty {
            metadata["annotations"] = .object(stamp.annotations.mapValues { .string($0) })
        }
        return try await apply(
            ["metadata": metadata], to: workload, by: SluiceName.stampManager, force: true)
    }

    /// Server-side apply makes what is not there, unless it is told which object is meant.
    private func identity(_ workload: Workload) -> JSONValue {
        var metadata: JSONValue = [:]
        metadata["uid"] = workload.metadata.uid.map { .string($0) }
        metadata["resourceVersion"] = workload.metadata.resourceVersion.map { .string($0) }
        return metadata
    }

    private func apply(
        _ fields: JSONValue, to workload: Workload, by manager: String, force: Bool
    ) async throws -> Workload {
        let written = try await client.apply(
            WorkloadObject.self, resource(of: workload), workload.key, fields, fieldManager: manager, force: force)
        lastWrites[workload.kind]?.wrote(written)
        return Workload(workload.kind, written)
    }

    private func patch(_ fields: JSONValue, of workload: Workload) async throws -> Workload {
        let written = try await client.patch(
            WorkloadObject.self, resource(of: workload), workload.key, .merge(fields),
            fieldManager: SluiceName.holdManager)
        lastWrites[workload.kind]?.wrote(written)
        return Workload(workload.kind, written)
    }

    private func record(_ event: MigrationEvent, _ workload: Workload) {
        recorder.record(
            event.severity == .warning ? .warning : .normal,
            regarding: ObjectReference(resource(of: workload), workload.metadata), reason: event.reason,
            note: event.message)
    }

    private func resource(of workload: Workload) -> ResourceDescriptor {
        workloads.resource(of: workload.kind) ?? workload.kind.resources[0]
    }
}

extension KubernetesError {
    /// Whether another manager owns a field that was applied.
    fileprivate var isFieldConflict: Bool { causes.contains { $0.reason == "FieldManagerConflict" } }
}
