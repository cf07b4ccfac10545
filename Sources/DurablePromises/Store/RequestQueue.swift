internal import Synchronization

/// What waits to be decided, and the lanes that take from it.
final class RequestQueue: Sendable {
    /// What is to be decided.
    enum Work: Sendable {
        case request(Request)
        case event(PromiseEvent)
    }

    /// Somebody's work, until it is answered.
    final class Item: Sendable {
        let work: Work
        let partitions: Set<Int64>
        /// What time it shall be, when it is not the database's.
        let time: Int64?
        private let answered: Mutex<(@Sendable (Result<Response?, any Error>) -> Void)?>

        /// - Parameter answered: called once.
        init(
            _ work: Work,
            _ partitions: Set<Int64>,
            at time: Int64?,
            answered: @escaping @Sendable (Result<Response?, any Error>) -> Void
        ) {
            self.work = work
            self.partitions = partitions
            self.time = time
            self.answered = Mutex(answered)
        }

        /// Only the first answer counts.
        func finish(_ result: Result<Response?, any Error>) {
            let answered = answered.withLock { answered in
                defer { answered = nil }
                return answered
            }
            answered?(result)
        }
    }

    /// What came together stays together: each of these is done as a whole or not at all.
    typealias Batch = [[Item]]

    private struct State {
        var waiting: Batch = []
        var waitingItems = 0
        /// How many items lanes are at work on.
        var taken = 0
        var hasStarted = false
        /// Lanes with nothing to do.
        var resting: [CheckedContinuation<Batch, Never>] = []
        var isClosed = false
    }

    private let state = Mutex(State())
    private let lanes: Int
    private let batchSize: Int
    private let run: @Sendable (Batch) async -> Void

    /// How many locks a transaction takes at the most, unless one request alone needs more: all sessions of a PostgreSQL
    /// server share room for some thousands (`max_locks_per_transaction`, 64 for each connection that there may be).
    static let mostLocks = 512

    /// - Parameter run: does what a lane took, and finishes each of it.
    init(lanes: Int, batchSize: Int, run: @escaping @Sendable (Batch) async -> Void) {
        self.lanes = lanes
        self.batchSize = batchSize
        self.run = run
    }

    /// Adds items that share a transaction, in which they are done in this order.
    func add(_ items: [Item]) {
        let isClosed = change { state in
            if state.isClosed { return true }
            state.waiting.append(items)
            state.waitingItems += items.count
            return false
        }
        guard isClosed else { return startLanes() }
        for item in items { item.finish(.failure(PromiseError(.unavailable, "the promise store is closed"))) }
    }

    /// Ends the lanes when they have done what is waiting. May be repeated.
    func close() {
        change { $0.isClosed = true }
    }

    private func startLanes() {
        let hasStarted = state.withLock { state in
            defer { state.hasStarted = true }
            return state.hasStarted
        }
        if hasStarted { return }
        // Their end is that of the queue, which whoever owns it closes.
        for _ in 0..<lanes { Task { await self.work() } }
    }

    private func work() async {
        while true {
            let batch = await withCheckedContinuation { lane in change { $0.resting.append(lane) } }
            if batch.isEmpty { return }
            await run(batch)
            change { $0.taken -= batch.items }
        }
    }

    /// Changes the state, and sets to work whichever lanes can be. A lane that gets nothing ends.
    @discardableResult
    private func change<Value: Sendable>(_ change: (inout State) -> Value) -> Value {
        let (value, work) = state.withLock { state in
            let value = change(&state)
            var work: [(lane: CheckedContinuation<Batch, Never>, batch: Batch)] = []
            while !state.resting.isEmpty, let batch = take(&state) { work.append((state.resting.removeLast(), batch)) }
            if state.isClosed {
                // Whoever is at work takes what waits.
                for lane in state.resting { work.append((lane, [])) }
                state.resting = []
            }
            return (value, work)
        }
        for (lane, batch) in work { lane.resume(returning: batch) }
        return value
    }

    /// What a lane that is free shall do at once, if anything.
    ///
    /// A transaction costs as much as some dozens of requests. So one is begun beside others only when as much has gathered as
    /// they are at work on; less waits until one of them has ended.
    private func take(_ state: inout State) -> Batch? {
        guard !state.waiting.isEmpty, state.taken == 0 || state.waitingItems >= min(state.taken, batchSize) else {
            return nil
        }
        var count = 0
        var items = 0
        var locks = 0
        while count < state.waiting.count {
            let next = state.waiting[count]
            // What several need is counted several times; it seldom matters.
            locks += next.reduce(0) { $0 + $1.partitions.count }
            guard count == 0 || items + next.count <= batchSize && locks <= Self.mostLocks else { break }
            items += next.count
            count += 1
        }
        let batch = Array(state.waiting.prefix(count))
        state.waiting.removeFirst(count)
        state.waitingItems -= items
        state.taken += items
        return batch
    }
}

extension RequestQueue.Batch {
    /// How many items there are in all.
    fileprivate var items: Int { reduce(0) { $0 + $1.count } }
}
