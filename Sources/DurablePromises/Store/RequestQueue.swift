internal import EventLoop
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

    private struct State {
        /// What came together stays together.
        var waiting: [[Item]] = []
        var waitingItems = 0
        /// How many items lanes are at work on.
        var taken = 0
        var hasStarted = false
        /// Lanes with nothing to do.
        var resting: [CheckedContinuation<[Item], Never>] = []
        var isClosed = false
    }

    private let state = Mutex(State())
    private let lanes: Int
    private let batchSize: Int
    private let run: @Sendable ([Item]) async -> Void

    /// - Parameter run: does what a lane took, and finishes each of it.
    init(lanes: Int, batchSize: Int, run: @escaping @Sendable ([Item]) async -> Void) {
        self.lanes = lanes
        self.batchSize = batchSize
        self.run = run
    }

    /// Adds items that share a transaction, in which they are done in this order.
    func add(_ items: [Item]) {
        enum Next {
            case nothing
            case start
            case refuse
            case wake(CheckedContinuation<[Item], Never>, [Item])
        }
        let next: Next = state.withLock { state in
            if state.isClosed { return .refuse }
            state.waiting.append(items)
            state.waitingItems += items.count
            if !state.hasStarted {
                state.hasStarted = true
                return .start
            }
            guard !state.resting.isEmpty, let batch = take(&state) else { return .nothing }
            return .wake(state.resting.removeFirst(), batch)
        }
        switch next {
        case .nothing: break
        case .start:
            // Their end is that of the queue, which whoever owns it closes. They talk to the database all the time, and a batch
            // is decided sooner than another thread is woken.
            for _ in 0..<lanes {
                Task(executorPreference: EventLoop.taskExecutor) { await self.work() }
            }
        case .refuse:
            for item in items { item.finish(.failure(PromiseError(.unavailable, "the promise store is closed"))) }
        case .wake(let lane, let batch): lane.resume(returning: batch)
        }
    }

    /// Ends the lanes when they have done what is waiting. May be repeated.
    func close() {
        let resting = state.withLock { state in
            defer {
                state.isClosed = true
                state.resting = []
            }
            return state.resting
        }
        for lane in resting { lane.resume(returning: []) }
    }

    @EventLoop
    private func work() async {
        while true {
            let batch = await next()
            if batch.isEmpty { return }
            await run(batch)
            state.withLock { $0.taken -= batch.count }
        }
    }

    /// What a lane does next: nothing more when it is empty.
    private func next() async -> [Item] {
        await withCheckedContinuation { continuation in
            let batch: [Item]? = state.withLock { state in
                if let batch = take(&state) { return batch }
                // Whoever is at work takes what waits.
                if state.isClosed { return [] }
                state.resting.append(continuation)
                return nil
            }
            if let batch { continuation.resume(returning: batch) }
        }
    }

    /// What a lane that is free shall do at once, if anything.
    ///
    /// A transaction costs as much as some dozens of requests. So one is begun beside others only when as much has gathered as
    /// they are at work on; less waits until one of them has ended.
    private func take(_ state: inout State) -> [Item]? {
        guard !state.waiting.isEmpty, state.taken == 0 || state.waitingItems >= min(state.taken, batchSize) else {
            return nil
        }
        var count = 0
        var batch: [Item] = []
        while count < state.waiting.count, batch.isEmpty || batch.count + state.waiting[count].count <= batchSize {
            batch += state.waiting[count]
            count += 1
        }
        state.waiting.removeFirst(count)
        state.waitingItems -= batch.count
        state.taken += batch.count
        return batch
    }
}
