/// The one thread on which every handle of libcurl and libpq lives.
///
/// A type that owns such a handle is isolated to this global actor, so the compiler proves that the handle is touched by
/// one thread only, and types that share the loop call each other without a hop. The thread waits in
/// `curl_multi_poll`, which serves libcurl's sockets and, as extra descriptors, everyone else's.
///
/// Nothing slow belongs here: decode, compute and log elsewhere.
@globalActor
public actor EventLoop {
    public static let shared = EventLoop()

    private static let thread = LoopThread()

    public nonisolated var unownedExecutor: UnownedSerialExecutor {
        Self.thread.asUnownedSerialExecutor()
    }

    public static var sharedUnownedExecutor: UnownedSerialExecutor {
        thread.asUnownedSerialExecutor()
    }

    /// Runs `body` as code of the loop, where the compiler cannot see that it is: in a callback from C.
    ///
    /// Stops the program when the caller is on another thread. The standard library has the same for `MainActor` only.
    public nonisolated static func assumeIsolated<Value: Sendable>(
        _ body: @EventLoop () throws -> Value
    ) rethrows -> Value {
        typealias Plain = () throws -> Value
        shared.preconditionIsolated()
        return try withoutActuallyEscaping(body) { try unsafeBitCast($0, to: Plain.self)() }
    }

    /// Calls `handler` on the loop whenever `descriptor` is ready for what `interest` names, until the watch is
    /// cancelled. Cancel it before the descriptor is closed.
    @EventLoop
    public static func watch(
        _ descriptor: Int32,
        for interest: Readiness,
        _ handler: @escaping @EventLoop (Readiness) -> Void
    ) -> Watch {
        thread.add(Watch(descriptor: descriptor, interest: interest, handler: handler))
    }

    /// Calls `handler` on the loop once `delay` has passed, unless the timer is cancelled first.
    @EventLoop
    @discardableResult
    public static func schedule(after delay: Duration, _ handler: @escaping @EventLoop () -> Void) -> LoopTimer {
        thread.add(LoopTimer(deadline: .now + delay, handler: handler))
    }

    /// Lets libcurl drive `easy`; `completion` gets the transfer's `CURLcode` when it ends.
    ///
    /// The handle stays the caller's: it is out of the loop when `completion` runs.
    @EventLoop
    public static func start(_ easy: UnsafeMutableRawPointer, _ completion: @escaping @EventLoop (UInt32) -> Void) {
        thread.start(easy, completion)
    }

    /// Takes a transfer out of the loop without calling its completion. Does nothing when it is not in it.
    @EventLoop
    public static func stop(_ easy: UnsafeMutableRawPointer) {
        thread.stop(easy)
    }
}
