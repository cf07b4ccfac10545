/// A call that the loop makes once, at or after a deadline.
@EventLoop
public final class LoopTimer {
    let deadline: ContinuousClock.Instant
    let handler: @EventLoop () -> Void
    private(set) var isCancelled = false

    init(deadline: ContinuousClock.Instant, handler: @escaping @EventLoop () -> Void) {
        self.deadline = deadline
        self.handler = handler
    }

    /// Its handler is not called any more. May be repeated.
    public func cancel() {
        isCancelled = true
    }
}
