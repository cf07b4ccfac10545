internal import Synchronization

/// Tells of a hold when it begins, when it has another reason, when it ends, and now and then how it stands.
final class HoldTeller: Sendable {
    private struct State {
        var told: ThrottleHold?
        var at: ContinuousClock.Instant?
    }

    private let state = Mutex(State())
    private let report: @Sendable (ThrottleHold?) -> Void

    private static let interval = Duration.seconds(10)

    init(_ report: @escaping @Sendable (ThrottleHold?) -> Void) {
        self.report = report
    }

    func tell(_ hold: ThrottleHold?) {
        let isTold = state.withLock { state in
            let isNews = hold?.reason != state.told?.reason
            let isDue = state.at.map { $0.duration(to: .now) > Self.interval } ?? true
            guard isNews || hold != state.told && isDue else { return false }
            state = State(told: hold, at: .now)
            return true
        }
        if isTold { report(hold) }
    }
}
