import Synchronization

/// How long statements of the application took, and which of them waited for a lock of ours.
///
/// The machine's own stalls are told apart twice over: what counts as ours was seen to be blocked by a session of ours
/// (`pg_blocking_pids`), and is counted less what a statement at an untouched table took at the same time.
final class StallLog: Sendable {
    private struct Slow {
        let began: ContinuousClock.Instant
        let ended: ContinuousClock.Instant
        var duration: Duration { ended - began }
    }

    private struct Sighting {
        let at: ContinuousClock.Instant
        let blocker: String
    }

    private struct State {
        var slow: [String: [Slow]] = [:]
        var sightings: [String: [Sighting]] = [:]
        var statements = 0
    }

    /// Of the session at the untouched table.
    static let control = "control"
    /// What is quicker is of no interest.
    private static let threshold = Duration.milliseconds(20)

    private let state = Mutex(State())

    /// Runs a statement of the session that is called so.
    func timing<Value>(_ session: String, _ body: () async throws -> Value) async rethrows -> Value {
        let began = ContinuousClock.now
        defer {
            let slow = Slow(began: began, ended: .now)
            state.withLock { state in
                state.statements += 1
                if slow.duration > Self.threshold { state.slow[session, default: []].append(slow) }
            }
        }
        return try await body()
    }

    /// A session was seen to wait for one of ours, which does `blocker`.
    func saw(_ session: String, blockedBy blocker: String) {
        state.withLock { $0.sightings[session, default: []].append(Sighting(at: .now, blocker: blocker)) }
    }

    struct Summary: Sendable, CustomStringConvertible {
        var statements = 0
        /// The longest that a lock of ours stalled a statement, and what ours did.
        var ours = Duration.zero
        var blocker = "none"
        /// The longest that a statement took which touched nothing of ours.
        var machine = Duration.zero

        mutating func add(_ other: Summary) {
            statements += other.statements
            machine = max(machine, other.machine)
            if other.ours > ours { (ours, blocker) = (other.ours, other.blocker) }
        }

        var description: String {
            func milliseconds(_ duration: Duration) -> Int { Int(duration / .milliseconds(1)) }
            return
                "\(statements) statements; the worst stall by a lock of ours was \(milliseconds(ours)) ms (\(blocker)), "
                + "by the machine \(milliseconds(machine)) ms"
        }
    }

    var summary: Summary {
        state.withLock { state in
            let controls = state.slow[Self.control] ?? []
            var summary = Summary(statements: state.statements, machine: controls.map(\.duration).max() ?? .zero)
            for (session, sightings) in state.sightings {
                for slow in state.slow[session] ?? [] {
                    guard let seen = sightings.first(where: { slow.began < $0.at && $0.at < slow.ended }) else {
                        continue
                    }
                    let machine = controls.filter { $0.began < slow.ended && slow.began < $0.ended }.map(\.duration)
                        .max()
                    summary.add(Summary(ours: slow.duration - (machine ?? .zero), blocker: seen.blocker))
                }
            }
            return summary
        }
    }
}
