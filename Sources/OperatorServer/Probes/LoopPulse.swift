internal import EventLoop
internal import Synchronization

/// Whether the thread of the event loop, on which all talk with the API server and PostgreSQL runs, still takes turns.
final class LoopPulse: Sendable {
    /// How often a turn is asked for.
    private static let interval: Duration = .seconds(2)
    /// Nothing on the loop takes that long, on a machine that is overloaded either.
    private static let patience: Duration = .seconds(30)

    private let last = Mutex(ContinuousClock.now)

    /// What is wrong, in words; nil when nothing is.
    var problem: String? {
        let silence = ContinuousClock.now - last.withLock { $0 }
        return silence < Self.patience ? nil : "the event loop has taken no turn for \(silence.components.seconds) s"
    }

    /// Asks for a turn again and again until its task is cancelled. While the loop hangs it hangs as well, so that no
    /// more than one question is ever open.
    func run() async {
        while !Task.isCancelled {
            await Self.turn()
            last.withLock { $0 = .now }
            try? await Task.sleep(for: Self.interval)
        }
    }

    @EventLoop
    private static func turn() async {}
}
