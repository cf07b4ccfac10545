internal import DurablePromises

extension ServerLimits {
    /// The limit that an operation breaks, or one inside of it, if any does.
    func flaw(of operation: PromiseOperation) -> String? {
        let ids = operation.promiseIDs
        for id in ids {
            if let flaw = flaw(id, "an id") { return flaw }
        }
        if ids.count > roots, operation.families.count > roots {
            return "the request is about promises of \(operation.families.count) roots; at most \(roots) are taken"
        }
        if let id = operation.scheduleID, let flaw = flaw(id, "a schedule's id") { return flaw }
        switch operation {
        case .createPromise(let creation): return flaw(creation.tags)
        case .createSchedule(let creation):
            // Its promises are called by the template with the id and a time of 13 digits in it.
            let longest = creation.promiseId.replacing("{{.id}}", with: creation.id)
            return flaw(longest, "the id of a schedule's promises") ?? flaw(creation.promiseTags)
        case .acquireTask(_, let pid, _), .heartbeat(let pid, _): return flaw(pid, "a pid")
        case .createTask(let pid, _, let action): return flaw(pid, "a pid") ?? flaw(of: action.operation)
        default: return operation.actions.lazy.compactMap { flaw(of: $0.operation) }.first
        }
    }

    private func flaw(_ id: String, _ what: String) -> String? {
        id.utf8.count > idBytes ? "\(what) has \(id.utf8.count) bytes; at most \(idBytes) are taken" : nil
    }

    private func flaw(_ tags: [String: String]?) -> String? {
        guard let tags else { return nil }
        if tags.count > self.tags { return "a promise has \(tags.count) tags; at most \(self.tags) are taken" }
        for (name, value) in tags where name.utf8.count > tagBytes || value.utf8.count > tagBytes {
            return "a tag's name or value is longer than \(tagBytes) bytes"
        }
        return nil
    }
}
