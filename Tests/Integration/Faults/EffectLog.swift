import Foundation
import Synchronization
import TestSupport

/// What an operator does to its two servers, in order: each write of the API server and each committed one of the
/// database, but for the renewal of leases, which comes by the clock. It can end the operator's process at one of them.
final class EffectLog: Sendable {
    /// When a process is killed.
    struct Death: Sendable, CustomStringConvertible {
        enum Moment: Sendable {
            /// The server has done it, and the answer never arrives.
            case unanswered
            /// The answer has arrived, and nothing of what follows leaves the process.
            case answered
        }

        /// The number of the effect in this life, from 1.
        var effect: Int
        var moment: Moment

        var description: String { "\(moment) \(effect)" }
    }

    /// What becomes of an answer.
    enum Verdict {
        case forward, withhold, forwardAndKill
    }

    private struct State {
        var life = 0
        var isDead = true
        var death: Death?
        var victim: SluiceProcess?
        var effects: [String] = []
        var all = 0
    }

    private let state = Mutex(State())

    /// The effects of this life.
    var effects: [String] { state.withLock { $0.effects } }
    /// How many there were in all lives.
    var count: Int { state.withLock { $0.all } }
    var life: Int { state.withLock { $0.life } }

    /// Another process begins. What belongs to those before goes nowhere any more.
    func begin(_ process: SluiceProcess, until death: Death?) {
        state.withLock {
            $0.life += 1
            $0.isDead = false
            $0.effects = []
            $0.death = death
            $0.victim = process
        }
    }

    /// Whether what comes from a connection of that life goes on. Before the first life all does.
    func isAlive(_ life: Int) -> Bool {
        state.withLock { $0.life == life && !$0.isDead }
    }

    func happened(_ label: String, in life: Int) -> Verdict {
        state.withLock { state in
            guard state.life == life, !state.isDead else { return .withhold }
            state.effects.append(label)
            state.all += 1
            guard let death = state.death, death.effect == state.effects.count else { return .forward }
            state.isDead = true
            guard death.moment == .unanswered else { return .forwardAndKill }
            state.victim?.send(SIGKILL)
            return .withhold
        }
    }

    /// Once the answer is on its way: a moment to take it in, in which nothing leaves the process.
    func kill() {
        usleep(20_000)
        state.withLock { $0.victim }?.send(SIGKILL)
    }
}
