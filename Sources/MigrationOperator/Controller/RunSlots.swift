internal import ControllerRuntime
internal import Synchronization

/// How many engines work at the same time. Each has sessions in its database, and a server has only so many of them.
///
/// Namespaces share them by the rules of ``FairQueue``: whatever the Migrations of one do, with databases that never answer
/// for instance, the first of another begins at once; where many namespaces hold all slots, at the next end of any run.
final class RunSlots: Sendable {
    private struct Waiter: Sendable {
        var turn: UInt64
        var continuation: CheckedContinuation<Bool, Never>
    }

    private struct State {
        var free: Int
        var turns: UInt64 = 0
        var queue = FairQueue<String?, Waiter>()

        /// Those whose turn it is now.
        mutating func served() -> [Waiter] {
            var served: [Waiter] = []
            while let waiter = queue.next(free: free) {
                free -= 1
                served.append(waiter)
            }
            return served
        }
    }

    private let state: Mutex<State>

    init(_ count: Int) {
        state = Mutex(State(free: count))
    }

    /// Runs `body` once there is a slot for the namespace.
    ///
    /// - Parameter waits: is called first when there is none yet.
    /// - Throws: `CancellationError` when the task is cancelled while it waits, and what `body` throws.
    func with<Value: Sendable>(
        of namespace: String?, waits: @Sendable () -> Void = {}, _ body: () async throws -> Value
    ) async throws -> Value {
        try await take(namespace, waits)
        defer { give(namespace) }
        return try await body()
    }

    private func take(_ namespace: String?, _ waits: @Sendable () -> Void) async throws {
        let turn = state.withLock { state in
            state.turns += 1
            return state.turns
        }
        let hasSlot = await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let served: [Waiter]? = state.withLock { state in
                    // The handler below may have run before there was anything to cancel.
                    if Task.isCancelled { return nil }
                    state.queue.append(Waiter(turn: turn, continuation: continuation), of: namespace)
                    return state.served()
                }
                guard let served else { return continuation.resume(returning: false) }
                if !served.contains(where: { $0.turn == turn }) { waits() }
                resume(served)
            }
        } onCancel: {
            // It waits, has a slot already, or will see for itself that it was cancelled.
            let waiter = state.withLock { $0.queue.remove(of: namespace) { $0.turn == turn } }
            waiter?.continuation.resume(returning: false)
        }
        guard hasSlot else { throw CancellationError() }
    }

    private func give(_ namespace: String?) {
        let served = state.withLock { state in
            state.free += 1
            state.queue.giveBack(namespace)
            return state.served()
        }
        resume(served)
    }

    private func resume(_ served: [Waiter]) {
        for waiter in served { waiter.continuation.resume(returning: true) }
    }
}
