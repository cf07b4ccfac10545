internal import Synchronization

/// Whether the promises are out of reach, so that it is said once and not for every request.
final class Outage: Sendable {
    private let isOn = Atomic(false)

    /// Whether it was not known yet.
    func began() -> Bool {
        !isOn.exchange(true, ordering: .relaxed)
    }

    func ended() {
        if isOn.load(ordering: .relaxed) { isOn.store(false, ordering: .relaxed) }
    }
}
