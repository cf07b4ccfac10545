public import Prometheus
internal import Synchronization

/// A queue of keys for several workers: ``WorkQueueState`` with a clock, and with workers that wait.
///
/// Adding never waits, so that a store's handler can do it.
public final class WorkQueue<Key: Hashable & Sendable>: Sendable {
    private struct Alarm {
        var at: ContinuousClock.Instant
        var task: Task<Void, Never>
    }

    private struct State {
        var rules: WorkQueueState<Key>
        var waiting: [(number: Int, continuation: CheckedContinuation<Key?, Never>)] = []
        var waiterCount = 0
        var isShutDown = false
        var alarm: Alarm?
    }

    private let state: Mutex<State>
    private let metrics: WorkQueueMetrics.Series

    /// - Parameters:
    ///   - name: what the metrics call it.
    ///   - tenant: whose a key is, where no tenant may have all workers. Without it keys are taken as they come.
    ///   - metrics: where it counts; by default nobody reads them.
    public init(
        name: String = "", limits: WorkQueueState<Key>.Limits = .init(), tenant: (@Sendable (Key) -> String?)? = nil,
        metrics: WorkQueueMetrics = WorkQueueMetrics(MetricsRegistry())
    ) {
        state = Mutex(State(rules: WorkQueueState(limits: limits, tenant: tenant)))
        self.metrics = metrics.series(of: name)
        metrics.read(name) { [weak self] in self?.reading }
    }

    deinit {
        state.withLock { $0.alarm?.task.cancel() }
    }

    /// How many keys wait to be taken now.
    public var depth: Int { state.withLock { $0.rules.depth } }

    public func add(_ key: Key) {
        change { $0.add(key, now: $1) }
    }

    public func add(_ key: Key, after delay: Duration) {
        metrics.retries.increment()
        change { delay > .zero ? $0.add(key, at: $1 + delay) : $0.add(key, now: $1) }
    }

    /// Adds a key after a failure. Returns the delay.
    @discardableResult
    public func addRateLimited(_ key: Key) -> Duration {
        metrics.retries.increment()
        return change { $0.addRateLimited(key, now: $1) }
    }

    public func forget(_ key: Key) {
        change { rules, _ in rules.forget(key) }
    }

    /// Waits for a key. Nil when the task is cancelled or the queue is shut down. Say ``done(_:)`` afterwards.
    public func next() async -> Key? {
        let number = state.withLock { state in
            state.waiterCount += 1
            return state.waiterCount
        }
        return await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let waits = state.withLock { state in
                    // The handler below may have run before there was anything to cancel.
                    guard !state.isShutDown, !Task.isCancelled else { return false }
                    state.waiting.append((number, continuation))
                    return true
                }
                if waits { change { _, _ in } } else { continuation.resume(returning: nil) }
            }
        } onCancel: {
            let waiter = state.withLock { state in
                state.waiting.firstIndex { $0.number == number }.map { state.waiting.remove(at: $0).continuation }
            }
            waiter?.resume(returning: nil)
        }
    }

    public func done(_ key: Key) {
        metrics.worked.observe(change { $0.done(key, now: $1) })
    }

    /// No key is given out any more.
    public func shutDown() {
        let waiting = state.withLock { state in
            state.isShutDown = true
            state.alarm?.task.cancel()
            state.alarm = nil
            defer { state.waiting = [] }
            return state.waiting
        }
        for waiter in waiting { waiter.continuation.resume(returning: nil) }
    }

    /// Changes the queue, gives what is due to those who wait, and sets the alarm for the next key that is not due yet.
    @discardableResult
    private func change<Value: Sendable>(
        _ body: (inout WorkQueueState<Key>, _ now: ContinuousClock.Instant) -> Value
    ) -> Value {
        let (value, additions, served) = state.withLock { state in
            let now = ContinuousClock.now
            let before = state.rules.additions
            let value = body(&state.rules, now)
            // Else a key that is due while all workers are busy would be due at once again, and again.
            state.rules.promote(now)
            var served: [(continuation: CheckedContinuation<Key?, Never>, turn: WorkQueueState<Key>.Turn)] = []
            while !state.isShutDown, !state.waiting.isEmpty,
                let turn = state.rules.next(now: now, idle: state.waiting.count)
            {
                served.append((state.waiting.removeFirst().continuation, turn))
            }
            setAlarm(&state)
            return (value, state.rules.additions - before, served)
        }
        metrics.additions.increment(by: additions)
        for (continuation, turn) in served {
            metrics.waited.observe(turn.waited)
            continuation.resume(returning: turn.key)
        }
        return value
    }

    private func setAlarm(_ state: inout State) {
        guard !state.isShutDown, let due = state.rules.nextDue else { return }
        if let alarm = state.alarm, alarm.at <= due { return }
        state.alarm?.task.cancel()
        let task = Task { [weak self] in
            guard (try? await ContinuousClock().sleep(until: due)) != nil else { return }
            self?.ring(due)
        }
        state.alarm = Alarm(at: due, task: task)
    }

    private func ring(_ due: ContinuousClock.Instant) {
        state.withLock { if $0.alarm?.at == due { $0.alarm = nil } }
        change { _, _ in }
    }

    private var reading: WorkQueueMetrics.Reading {
        state.withLock { state in
            let (unfinished, longest) = state.rules.unfinished(at: .now)
            return .init(depth: state.rules.depth, unfinished: unfinished, longest: longest)
        }
    }
}
