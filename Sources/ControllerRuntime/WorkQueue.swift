/// A queue of keys for several workers: ``WorkQueueState`` with a clock, and with workers that wait.
public actor WorkQueue<Key: Hashable & Sendable> {
    private var state: WorkQueueState<Key>
    private var waiting: [(number: Int, continuation: CheckedContinuation<Key?, Never>)] = []
    private var waiterCount = 0
    private var isShutDown = false
    private var alarm: (at: ContinuousClock.Instant, task: Task<Void, Never>)?

    public init(limits: WorkQueueState<Key>.Limits = .init()) {
        state = WorkQueueState(limits: limits)
    }

    deinit {
        alarm?.task.cancel()
    }

    /// How many keys wait to be taken now.
    public var depth: Int { state.depth }

    public func add(_ key: Key) {
        state.add(key)
        serve()
    }

    public func add(_ key: Key, after delay: Duration) {
        guard delay > .zero else { return add(key) }
        state.add(key, at: .now + delay)
        serve()
    }

    /// Adds a key after a failure. Returns the delay.
    @discardableResult
    public func addRateLimited(_ key: Key) -> Duration {
        defer { serve() }
        return state.addRateLimited(key, now: .now)
    }

    public func forget(_ key: Key) {
        state.forget(key)
    }

    /// Waits for a key. Nil when the task is cancelled or the queue is shut down. Say ``done(_:)`` afterwards.
    public func next() async -> Key? {
        waiterCount += 1
        let number = waiterCount
        return await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                if isShutDown || Task.isCancelled {
                    continuation.resume(returning: nil)
                } else {
                    waiting.append((number, continuation))
                    serve()
                }
            }
        } onCancel: {
            // It lives for one hop to this actor, which never waits.
            Task { await self.release(number) }
        }
    }

    public func done(_ key: Key) {
        state.done(key)
        serve()
    }

    /// No key is given out any more.
    public func shutDown() {
        isShutDown = true
        alarm?.task.cancel()
        alarm = nil
        for waiter in waiting { waiter.continuation.resume(returning: nil) }
        waiting = []
    }

    private func release(_ number: Int) {
        guard let index = waiting.firstIndex(where: { $0.number == number }) else { return }
        waiting.remove(at: index).continuation.resume(returning: nil)
    }

    /// Gives keys to those who wait, and sets the alarm for the next one that is not due yet.
    private func serve() {
        guard !isShutDown else { return }
        while !waiting.isEmpty, let key = state.next(now: .now) {
            waiting.removeFirst().continuation.resume(returning: key)
        }
        setAlarm()
    }

    private func setAlarm() {
        guard let due = state.nextDue else { return }
        if let alarm, alarm.at <= due { return }
        alarm?.task.cancel()
        alarm = (
            due,
            Task { [weak self] in
                guard (try? await ContinuousClock().sleep(until: due)) != nil else { return }
                await self?.ring()
            }
        )
    }

    private func ring() {
        alarm = nil
        serve()
    }
}
