internal import Synchronization

/// How many engines work at the same time. Each has sessions in its database, and a server has only so many of them.
final class RunSlots: Sendable {
    private struct State {
        var free: Int
        var turns: UInt64 = 0
        var waiting: [(turn: UInt64, continuation: CheckedContinuation<Bool, Never>)] = []
    }

    private let state: Mutex<State>

    init(_ count: Int) {
        state = Mutex(State(free: count))
    }

    /// Runs `body` once there is a slot. Who came first goes first.
    ///
    /// - Throws: `CancellationError` when the task is cancelled while it waits, and what `body` throws.
    func with<Value: Sendable>(_ body: () async throws -> Value) async throws -> Value {
        try await take()
        defer { give() }
        return try await body()
    }

    private func take() async throws {
        let turn = state.withLock { state in
            state.turns += 1
            return state.turns
        }
        let hasSlot = await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let answer: Bool? = state.withLock { state in
                    if Task.isCancelled { return false }
                    if state.free > 0 {
                        state.free -= 1
                        return true
                    }
                    state.waiting.append((turn, continuation))
                    return nil
                }
                if let answer { continuation.resume(returning: answer) }
            }
        } onCancel: {
            // It waits, has a slot already, or will see for itself that it was cancelled.
            let waiter = state.withLock { state -> CheckedContinuation<Bool, Never>? in
                guard let index = state.waiting.firstIndex(where: { $0.turn == turn }) else { return nil }
                return state.waiting.remove(at: index).continuation
            }
            waiter?.resume(returning: false)
        }
        guard hasSlot else { throw CancellationError() }
    }

    private func give() {
        let next = state.withLock { state -> CheckedContinuation<Bool, Never>? in
            if state.waiting.isEmpty {
                state.free += 1
                return nil
            }
            return state.waiting.removeFirst().continuation
        }
        next?.resume(returning: true)
    }
}
