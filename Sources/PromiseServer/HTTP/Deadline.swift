internal import NIOCore

/// A time by which something has to happen on a connection; it is moved often, and seldom passes.
///
/// A timer that is set for an earlier time than needed stays, and is set again when it fires.
struct Deadline {
    private var time = NIODeadline.distantFuture
    private var timer: Scheduled<Void>?
    private var timerTime = NIODeadline.distantFuture
    private let loop: any EventLoop
    private let passed: @Sendable () -> Void

    /// - Parameter passed: is called on the loop when a timer fires; asks ``hasPassed()`` then.
    init(_ loop: any EventLoop, passed: @escaping @Sendable () -> Void) {
        self.loop = loop
        self.passed = passed
    }

    mutating func move(to duration: Duration) {
        time = .now() + TimeAmount(duration)
        arm()
    }

    /// There is none for the time being.
    mutating func clear() {
        time = .distantFuture
    }

    mutating func cancel() {
        clear()
        timer?.cancel()
        timer = nil
    }

    /// Whether the time has come. If not, the timer is set again.
    mutating func hasPassed() -> Bool {
        timer = nil
        if time <= .now() { return true }
        if time != .distantFuture { arm() }
        return false
    }

    private mutating func arm() {
        if timer != nil {
            if timerTime <= time { return }
            timer?.cancel()
        }
        timerTime = time
        timer = loop.scheduleTask(deadline: time, passed)
    }
}
