internal import Synchronization

/// Work that is done once for all who ask for it while it goes on.
///
/// Who is cancelled waits no longer. With the last who waits the work itself is cancelled.
final class SharedWork<Value: Sendable>: Sendable {
    typealias Outcome = Result<Value, KubernetesError>

    private struct State {
        var task: Task<Void, Never>?
        var runs = 0
        var askers = 0
        var waiting: [Int: CheckedContinuation<Outcome, Never>] = [:]
    }

    private let state = Mutex(State())

    /// Waits for the work that goes on, or begins it.
    ///
    /// - Throws: what the work did, or `cancelled`.
    func value(of work: @escaping @Sendable () async -> Outcome) async throws(KubernetesError) -> Value {
        let number = state.withLock { state in
            state.askers += 1
            return state.askers
        }
        let outcome = await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let isWaiting = state.withLock { state in
                    // The handler below may have run before there was anything to cancel.
                    guard !Task.isCancelled else { return false }
                    state.waiting[number] = continuation
                    if state.task == nil {
                        state.runs += 1
                        let run = state.runs
                        state.task = Task { self.finish(run, await work()) }
                    }
                    return true
                }
                if !isWaiting { continuation.resume(returning: .failure(.cancelled)) }
            }
        } onCancel: {
            let (waiter, abandoned) = state.withLock { state in
                let waiter = state.waiting.removeValue(forKey: number)
                guard waiter != nil, state.waiting.isEmpty else { return (waiter, nil as Task<Void, Never>?) }
                defer { state.task = nil }
                return (waiter, state.task)
            }
            abandoned?.cancel()
            waiter?.resume(returning: .failure(.cancelled))
        }
        return try outcome.get()
    }

    /// A run that was cancelled has nobody left who waits for it: those there now wait for the next.
    private func finish(_ run: Int, _ outcome: Outcome) {
        let waiting = state.withLock { state -> [CheckedContinuation<Outcome, Never>] in
            guard state.runs == run, state.task != nil else { return [] }
            state.task = nil
            defer { state.waiting = [:] }
            return Array(state.waiting.values)
        }
        for waiter in waiting { waiter.resume(returning: outcome) }
    }
}
