import KubernetesClient

@testable import MigrationOperator

/// What a loop is about to write to the workload, one write after the other.
struct GateWrites: Hashable {
    enum Write: Int {
        case pause, stamp, release, giveUp
    }

    var decision: GateDecision
    /// Of the workload that was decided about, or of what the last write made of it.
    var version: String?
    var next = Write.pause

    init(_ decision: GateDecision, of workload: Workload) {
        self.decision = decision
        version = workload.metadata.resourceVersion
    }
}

/// How far the loop is that opens.
enum Confirmation: Hashable {
    case rest
    /// Reads the Migration, for a workload that it has seen.
    case reading(Workload)
    /// Looks at the proof that it claims.
    case asking(Workload, RequiredMigration)
    case writing(GateWrites)

    /// Of the workload that it is about.
    var version: String? {
        get {
            switch self {
            case .rest: nil
            case .reading(let workload), .asking(let workload, _): workload.metadata.resourceVersion
            case .writing(let writes): writes.version
            }
        }
        set {
            switch self {
            case .rest: break
            case .reading(var workload):
                workload.object.metadata.resourceVersion = newValue
                self = .reading(workload)
            case .asking(var workload, let state):
                workload.object.metadata.resourceVersion = newValue
                self = .asking(workload, state)
            case .writing(var writes):
                writes.version = newValue
                self = .writing(writes)
            }
        }
    }
}
