internal import Backfill
internal import DurableExecution
internal import DurablePromises
internal import PostgreSQL
internal import SchemaChange

/// Why a run ends before its phase is reached: what the report says, and whether somebody must mend something.
enum Interruption: Error, Hashable, Sendable {
    case waiting(reason: String, message: String)
    case stalled(reason: String, message: String)

    var activity: MigrationReport.Activity {
        switch self {
        case .waiting(let reason, let message): .waiting(reason: reason, message: message)
        case .stalled(let reason, let message): .stalled(reason: reason, message: message)
        }
    }

    var message: String {
        switch self {
        case .waiting(_, let message), .stalled(_, let message): message
        }
    }

    static let heldByAnother = Interruption.waiting(
        reason: "HeldByAnotherWorker",
        message: "another worker has the lease; if it died, its lease is over within seconds"
    )

    /// A relation, an object such as a constraint or a trigger, a column, a schema is there already. The message names it.
    private static let taken: Set = ["42P07", "42710", "42701", "42P06"]

    static let serverChanged = Interruption.waiting(
        reason: "ServerChanged",
        message: "the server was restored or failed over since this began; what it has is looked at anew"
    )

    /// What an error means for the migration. `doing` is what was being done, for people.
    init(_ error: any Error, while doing: String) {
        switch error {
        case let interruption as Interruption:
            self = interruption
        case let error as PlanError:
            self = .stalled(reason: error.code.rawValue, message: error.description)
        case let error as RowFailures:
            self = .stalled(
                reason: "RowFailed",
                message: "\(doing): \(error); mend the rows or the expression, it goes on from there")
        case let error as RemoteFailure:
            switch error.kind {
            case .overdue: self = .waiting(reason: "WaitingForWorker", message: "\(doing): \(error); it is asked again")
            case .rejected:
                self = .stalled(
                    reason: "WorkerFailed",
                    message: "\(doing): \(error); mend the function or the rows, they are asked about again")
            case .answer:
                self = .stalled(
                    reason: "WorkerAnswer",
                    message: "\(doing): \(error); mend the function, it is asked again")
            }
        case is FenceLost, is LeaseLost:
            self = .heldByAnother
        case let error as PromiseError where error.code == .conflict:
            self = .heldByAnother
        case let error as PostgresError where error.sqlState == "55P03":
            self = .waiting(reason: "WaitingForLock", message: "\(doing): \(error.message)")
        case let error as PostgresError where error.code == .refused:
            self = .stalled(reason: "DatabaseUnavailable", message: "\(doing): \(error)")
        case let error as PostgresError where error.isTransient || error.sqlState == nil:
            self = .waiting(reason: "DatabaseUnavailable", message: "\(doing): \(error.message)")
        case let error as PostgresError where error.sqlState == "2BP01":
            // Its detail holds names, and no value of a row.
            let others = (error.detail ?? error.message).split(separator: "\n").joined(separator: ", ")
            self = .stalled(
                reason: "Dependents",
                message:
                    "\(doing): something that somebody made depends on what would go: \(others); drop it, and make it "
                    + "again afterwards")
        case let error as PostgresError where Self.taken.contains(error.sqlState ?? ""):
            self = .stalled(
                reason: "NameTaken",
                message:
                    "\(doing): \(error.message); somebody made it since the plan, or left it: rename or drop it, and it "
                    + "goes on from there")
        case let error as PostgresError:
            let hint = error.hint.map { " (\($0))" } ?? ""
            self = .stalled(
                reason: "StatementFailed",
                message: "\(doing): \(error.messageWithoutValues) [\(error.sqlState ?? "?")]\(hint)"
            )
        default:
            self = .waiting(reason: "Failed", message: "\(doing): \(error)")
        }
    }
}
