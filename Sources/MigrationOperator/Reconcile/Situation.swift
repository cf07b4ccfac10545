internal import MigrationEngine

/// Where a Migration stands: what is to be said of it, in one value.
enum Situation: Hashable {
    /// The spec cannot work.
    case invalid([SpecFinding])
    case suspended
    case waitingForDependencies(String)
    case databaseUnavailable(DatabaseFailure)
    /// An engine is at it; what it says, if it has said anything.
    case working(reason: String, message: String)
    case waiting(reason: String, message: String)
    case stalled(reason: String, message: String)
    case proofBroken(String)
    /// The phase that was asked for is complete.
    case reached

    /// What a run is at that has not seen the database yet. What its status says of the data is of before.
    static let waitingForSlot = "WaitingForSlot"
    static let starting = "Starting"

    init(_ activity: MigrationReport.Activity) {
        switch activity {
        case .working(let reason, let message): self = .working(reason: reason, message: message)
        case .waiting(let reason, let message): self = .waiting(reason: reason, message: message)
        case .stalled(let reason, let message): self = .stalled(reason: reason, message: message)
        case .reached: self = .reached
        }
    }
}
