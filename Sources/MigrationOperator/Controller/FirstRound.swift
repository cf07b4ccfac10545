internal import ControllerRuntime
internal import KubernetesClient
internal import Logging
internal import Synchronization

/// Tells when each Migration that the first list had has been looked at once: from then on a new leader is at what
/// happens, not at what it found.
final class FirstRound: Sendable {
    private struct State {
        /// Nil before the list is there.
        var left: Set<ObjectKey>?
        var count = 0
    }

    private let state = Mutex(State())
    private let start = ContinuousClock.now
    private let logger: Logger

    init(logger: Logger) {
        self.logger = logger
    }

    func begin(with keys: some Sequence<ObjectKey>) {
        let keys = Set(keys)
        state.withLock { $0 = State(left: keys, count: keys.count) }
        if keys.isEmpty { tell(0) }
    }

    /// Somebody is through with the key, whatever came of it.
    func looked(at key: ObjectKey) {
        let count = state.withLock { state -> Int? in
            guard state.left?.remove(key) != nil, state.left?.isEmpty == true else { return nil }
            state.left = nil
            return state.count
        }
        if let count { tell(count) }
    }

    private func tell(_ count: Int) {
        FreedMemory.giveBack()
        logger.info(
            "looked at every Migration that was listed",
            metadata: ["migrations": "\(count)", "after": "\(ContinuousClock.now - start)"])
    }
}
