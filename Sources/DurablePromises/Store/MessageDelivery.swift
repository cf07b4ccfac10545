internal import Synchronization

/// A message on its way to somebody.
///
/// Whoever takes it says so. One that is thrown away unsaid goes to whoever is there next.
public final class MessageDelivery: Sendable {
    public let message: PromiseMessage
    private let finish: Mutex<(@Sendable (_ isTaken: Bool) -> Void)?>

    /// - Parameter finish: is called once, with whether it has arrived.
    public init(_ message: PromiseMessage, _ finish: @escaping @Sendable (_ isTaken: Bool) -> Void) {
        self.message = message
        self.finish = Mutex(finish)
    }

    deinit {
        end(false)
    }

    /// The message has arrived. May be repeated.
    public func acknowledge() {
        end(true)
    }

    private func end(_ isTaken: Bool) {
        let finish = finish.withLock { finish in
            defer { finish = nil }
            return finish
        }
        finish?(isTaken)
    }
}
