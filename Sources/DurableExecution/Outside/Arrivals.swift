internal import DurablePromises
internal import Synchronization

/// Who waits in this process for a promise to be settled.
final class Arrivals: Sendable {
    private struct State {
        var waiting: [String: [Int: AsyncStream<PromiseRecord>.Continuation]] = [:]
        var count = 0
    }

    private let state = Mutex(State())

    /// Gives the promise once somebody tells of it. Who does not look any more is forgotten.
    func expect(_ id: String) -> AsyncStream<PromiseRecord> {
        let (stream, continuation) = AsyncStream.makeStream(of: PromiseRecord.self)
        let number = state.withLock { state in
            state.count += 1
            state.waiting[id, default: [:]][state.count] = continuation
            return state.count
        }
        continuation.onTermination = { [weak self] _ in self?.forget(id, number) }
        return stream
    }

    func tell(_ promise: PromiseRecord) {
        let waiting = state.withLock { $0.waiting[promise.id] ?? [:] }
        for continuation in waiting.values { continuation.yield(promise) }
    }

    private func forget(_ id: String, _ number: Int) {
        state.withLock { state in
            state.waiting[id]?[number] = nil
            if state.waiting[id]?.isEmpty ?? false { state.waiting[id] = nil }
        }
    }
}
