/// A descriptor that the loop waits for.
@EventLoop
public final class Watch {
    public let descriptor: Int32

    /// What it is waited for; it may be changed at any time.
    public var interest: Readiness

    let handler: @EventLoop (Readiness) -> Void
    private(set) var isCancelled = false

    init(descriptor: Int32, interest: Readiness, handler: @escaping @EventLoop (Readiness) -> Void) {
        self.descriptor = descriptor
        self.interest = interest
        self.handler = handler
    }

    /// Its handler is not called again. May be repeated.
    public func cancel() {
        isCancelled = true
    }
}
