import Foundation
import KubernetesClient
import MigrationEngine
import SchemaChange

@testable import MigrationOperator

/// A moment that tests call now. Whole seconds, as statuses carry.
let now = Date(timeIntervalSince1970: 1_800_000_000)

func json(_ text: String) -> JSONValue {
    try! JSONDecoder().decode(JSONValue.self, from: Data(text.utf8))
}

let splitChanges = """
    [{"replaceColumns": {"table": "customers", "from": ["full_name"],
      "to": [{"name": "first_name", "type": "text"}, {"name": "last_name", "type": "text"}],
      "forward": {"first_name": "f(full_name)", "last_name": "g(full_name)"},
      "backward": {"full_name": "first_name || last_name"}}}]
    """

/// Of another plan.
let otherChanges = #"[{"addColumn": {"table": "customers", "column": {"name": "note", "type": "text"}}}]"#

/// A Migration as the server would give it: uid `u1`, generation 1, with our finalizer.
func migration(
    _ spec: String = "", name: String = "split", generation: Int64 = 1, finalizer: Bool = true, deleted: Bool = false,
    changes: String = splitChanges, status: MigrationStatus? = nil
) -> Migration {
    var metadata = ObjectMeta(
        name: name, namespace: "shop", finalizers: finalizer ? [SluiceName.finalizer] : [])
    metadata.uid = "u1"
    metadata.generation = generation
    metadata.deletionTimestamp = deleted ? Timestamp(now) : nil
    let members = spec.isEmpty ? "" : ", \(spec)"
    return Migration(
        metadata: metadata,
        spec: json(
            """
            {"changes": \(changes), "database": {"urlFrom": {"secretKeyRef": {"name": "db", "key": "url"}}}\(members)}
            """),
        status: status)
}

let plan = "sha256:p1"

func certificate(plan hash: String = plan, at: Date = now) -> Certificate {
    Certificate(
        planHash: hash, rowsCompared: 10, oldSide: 9, newSide: 1, mismatches: 0, triggers: "t", walPosition: "0/1",
        systemIdentifier: "s", timeline: 1, at: at)
}

func report(
    _ phase: Phase, _ activity: MigrationReport.Activity = .reached, step: String? = nil,
    progress: BackfillProgress? = nil, proven: Bool? = nil
) -> MigrationReport {
    MigrationReport(
        planHash: plan, phase: phase, step: step ?? phase.rawValue, progress: progress,
        certificate: proven ?? (phase >= .backfill) ? certificate() : nil, promise: "migration/shop/split/7f3a/w1",
        activity: activity)
}

/// A run with the spec of ``migration(_:name:generation:finalizer:deleted:changes:status:)``.
func worker(
    _ report: MigrationReport?, to phase: Phase = .backfill, generation: Int64 = 1, endedAgo: TimeInterval? = nil,
    previous: MigrationReport? = nil, fruitless: Int = 0, startedAgo: TimeInterval = 600
) -> WorkerState {
    WorkerState(
        uid: "u1", generation: generation, phase: phase, startedAt: now.addingTimeInterval(-startedAgo),
        endedAt: endedAgo.map { now.addingTimeInterval(-$0) }, report: report, previous: previous,
        fruitless: fruitless)
}

func observed(_ worker: WorkerState? = nil, _ change: (inout Observed) -> Void = { _ in }) -> Observed {
    var observed = Observed(now: now)
    observed.ledgerReadAt = now
    observed.worker = worker
    change(&observed)
    return observed
}

extension [Action] {
    /// The status that is written, if one is.
    var status: MigrationStatus? {
        compactMap { if case .writeStatus(let status) = $0 { status } else { nil } }.first
    }

    var events: [String] {
        compactMap { if case .event(let event) = $0 { event.reason } else { nil } }
    }

    /// All but status, events and waiting.
    var deeds: [Action] {
        filter {
            switch $0 {
            case .writeStatus, .event, .requeue: false
            default: true
            }
        }
    }

    var requeue: Duration? {
        compactMap { if case .requeue(let after) = $0 { after } else { nil } }.min()
    }
}

extension MigrationStatus {
    /// `Ready=True GateOpen`.
    func text(_ type: MigrationCondition) -> String {
        guard let condition = condition(type) else { return "absent" }
        return "\(condition.status.rawValue) \(condition.reason ?? "")"
    }
}

/// The Migration with the status that reconciling it writes.
func settled(_ migration: Migration, _ observed: Observed) -> Migration {
    var migration = migration
    if let status = reconcile(migration, observed).status { migration.status = status }
    return migration
}
