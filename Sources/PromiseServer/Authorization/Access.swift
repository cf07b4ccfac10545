internal import DurablePromises

/// What somebody may do.
public enum Access: Sendable, Hashable {
    /// Everything.
    case administrator
    /// What is about ids that begin so; with an empty beginning, about all.
    case ids(prefix: String)

    /// Whether a record of this id may be read and changed.
    func covers(_ id: String) -> Bool {
        switch self {
        case .administrator: true
        case .ids(let prefix): id.utf8.starts(with: prefix.utf8)
        }
    }

    /// Why the operation is not allowed, if it is not. Every id that it names has to be covered, those of the operations
    /// inside of it as well.
    func refusal(of operation: PromiseOperation) -> String? {
        guard case .ids(let prefix) = self else { return nil }
        if operation.isDebugging { return "\(operation.kind) is for administrators" }
        if prefix.isEmpty { return nil }
        if operation.isSearch { return "a search is for those whose token allows all ids" }
        for id in operation.namedIDs where !covers(id) { return "the token does not allow the id \(id)" }
        for action in operation.actions {
            if let refusal = refusal(of: action.operation) { return refusal }
        }
        return nil
    }
}

extension PromiseOperation {
    var isDebugging: Bool {
        switch self {
        case .startDebugging, .stopDebugging, .resetForDebugging, .tick, .snapshot: true
        default: false
        }
    }

    fileprivate var isSearch: Bool {
        switch self {
        case .searchPromises, .searchTasks, .searchSchedules: true
        default: false
        }
    }

    /// The operations inside of it.
    var actions: [Request] {
        switch self {
        case .createTask(_, _, let action), .fence(_, let action), .fulfillTask(_, let action): [action]
        case .suspendTask(_, let actions): actions
        default: []
        }
    }

    /// The ids of records that it reads or changes now or, for a schedule, in times to come.
    fileprivate var namedIDs: [String] {
        var ids = Array(promiseIDs)
        if let scheduleID { ids.append(scheduleID) }
        if case .createSchedule(let creation) = self {
            // What comes after the first time stamp does not decide how the id begins.
            let fixed = creation.promiseId.firstRange(of: "{{.timestamp}}").map { creation.promiseId[..<$0.lowerBound] }
            ids.append((fixed.map { String($0) } ?? creation.promiseId).replacing("{{.id}}", with: creation.id))
        }
        return ids
    }
}
