/// Whether workers get on, as a value that reads no clock.
///
/// A loop is stuck when every worker has a key, or keys wait that none may take, and none has come to an end with one for
/// long: nothing that is added would be looked at any more. One worker that takes long is not that, nor is a loop that has
/// nothing to do.
struct Heartbeat {
    /// How many workers there are; 0 while none runs.
    private(set) var workers = 0
    private(set) var busy = 0
    /// When a worker last took a key or came to an end with one.
    private(set) var last: ContinuousClock.Instant?

    mutating func started(workers: Int) {
        self.workers = workers
        busy = 0
    }

    /// All workers have ended.
    mutating func ended() {
        workers = 0
    }

    mutating func took(at now: ContinuousClock.Instant) {
        busy += 1
        last = now
    }

    mutating func finished(at now: ContinuousClock.Instant) {
        busy -= 1
        last = now
    }

    func isAlive(at now: ContinuousClock.Instant, patience: Duration, keysWait: Bool = false) -> Bool {
        guard workers > 0, busy >= workers || keysWait, let last else { return true }
        return now - last < patience
    }
}
