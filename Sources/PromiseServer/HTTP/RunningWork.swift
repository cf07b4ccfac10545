internal import NIOCore
internal import Synchronization

/// How many tasks run on the connections' threads.
///
/// A thread must not end before them: a task whose thread is gone cannot go on, and not even end.
final class RunningWork: Sendable {
    private let count = Atomic(0)

    func began() {
        count.add(1, ordering: .relaxed)
    }

    func ended() {
        count.subtract(1, ordering: .releasing)
    }

    /// Waits until none runs; false when some still do when the time is over.
    func untilNone(within limit: Duration, on loop: any EventLoop) async -> Bool {
        let end = NIODeadline.now() + TimeAmount(limit)
        while count.load(ordering: .acquiring) > 0 {
            guard NIODeadline.now() < end else { return false }
            // Not the task's own clock: it is being cancelled.
            try? await loop.scheduleTask(in: .milliseconds(10)) {}.futureResult.get()
        }
        return true
    }
}
