import Foundation
import KubernetesClient
import MigrationEngine
import SchemaChange
import TestSupport
import Testing

@testable import MigrationOperator

/// Breadth first through every world that can come of the first one, to a bound of interferences.
private struct Explorer {
    /// Every world that was seen, and how it was come to, for the story of a violation.
    private var origins: [Seen: (Seen, World.Step)?] = [:]
    /// Worlds from which it is known to come to its end.
    private var ends: Set<Seen> = []

    /// How many worlds there are.
    var count: Int { origins.count }

    /// A world is large, and kept in several places: once, with the hash that is asked for again and again.
    private final class Seen: Hashable {
        let world: World
        private let hash: Int

        init(_ world: World) {
            self.world = world
            hash = world.hashValue
        }

        static func == (left: Seen, right: Seen) -> Bool {
            left === right || (left.hash == right.hash && left.world == right.world)
        }

        func hash(into hasher: inout Hasher) { hasher.combine(hash) }
    }

    mutating func explore(from first: World) throws {
        var frontier = [Seen(first)]
        origins[frontier[0]] = .some(nil)
        while !frontier.isEmpty {
            var next: [Seen] = []
            for seen in frontier {
                for step in seen.world.fairSteps + seen.world.interferingSteps {
                    let after: Seen
                    do {
                        after = Seen(try seen.world.after(step))
                    } catch {
                        throw World.Violation(description: "\(error): \(story(of: seen, step))")
                    }
                    guard origins[after] == nil else { continue }
                    origins[after] = (seen, step)
                    next.append(after)
                }
            }
            frontier = next
        }
        for seen in origins.keys { try followToItsEnd(seen) }
    }

    /// Lets nobody interfere, and everything that comes by itself come.
    private mutating func followToItsEnd(_ first: Seen) throws {
        var path: [Seen] = []
        var current = first
        if !first.world.interferences.isEmpty {
            var world = first.world
            world.interferences = []
            current = Seen(world)
        }
        var quiet = 0
        for _ in 0..<80 {
            if ends.contains(current) { break }
            path.append(current)
            let before = current
            current = Seen(try before.world.aRoundLater())
            // What is tried again and again, such as a run that finds a trigger gone, must write nothing.
            // A gate may end one decision and come to the next in six rounds without a write.
            quiet = current.world.isWritten(as: before.world) ? quiet + 1 : 0
            guard quiet == 8 else { continue }
            if let problem = current.world.problemAtRest {
                throw World.Violation(
                    description:
                        "it ends badly, \(problem), with "
                        + "\(current.world.migration?.status?.text(.ready) ?? "no status") and "
                        + "\(String(describing: current.world.process.worker?.report?.activity)): "
                        + story(of: first, nil))
            }
            ends.formUnion(path)
            return
        }
        guard ends.contains(current) else {
            throw World.Violation(description: "it does not end: \(story(of: first, nil))")
        }
        ends.formUnion(path)
    }

    private func story(of seen: Seen, _ last: World.Step?) -> String {
        var steps = last.map { ["\($0)"] } ?? []
        var current = seen
        while let (origin, step) = origins[current] ?? nil {
            steps.append("\(step)")
            current = origin
        }
        return steps.reversed().joined(separator: ", ")
    }
}

extension World {
    /// Everything that comes by itself has come once.
    fileprivate func aRoundLater() throws -> World {
        var world = self
        for step in fairSteps { world = try world.after(step) }
        return world
    }

    /// Where nothing happens any more, after these interferences, each when nothing happened any more.
    fileprivate func atRest(after steps: [Step]) throws -> World {
        var world = self
        for step in steps {
            for _ in 0..<40 { world = try world.aRoundLater() }
            world.interferences = [step]
            world = try world.after(step)
        }
        for _ in 0..<40 { world = try world.aRoundLater() }
        return world
    }

    /// Whether objects and database are the same in both.
    fileprivate func isWritten(as other: World) -> Bool {
        migration == other.migration && workload == other.workload && database == other.database
            && runsNewPods == other.runsNewPods
    }

    /// What is not as it should be where nothing happens any more.
    fileprivate var problemAtRest: String? {
        guard let migration else {
            return database.planHash == nil ? gateProblem(isOpen: false) : "the database was not undone"
        }
        guard let status = migration.status, let spec = migration.spec else { return "there is no status" }
        guard status.observedGeneration == migration.metadata.generation else { return "the status is of an old spec" }
        if migration.metadata.isBeingDeleted { return spec.suspend == true ? nil : "it is still there" }
        let isOpen = RequiredMigration(migration).isOpen
        if let problem = gateProblem(isOpen: isOpen) { return problem }
        if spec.suspend == true { return nil }
        if status.holds(.stalled, for: status.observedGeneration) {
            // Somebody has to mend it: the plan is another one than was proven, or a trigger is gone.
            return isOpen && !database.holdsProof ? "the gate is open without a proof" : nil
        }
        if status.condition(.ready)?.reason == "ProofBroken" { return nil }
        guard database.phase == spec.desiredPhase, status.phase == spec.desiredPhase else {
            return "it stays at \(database.phase.rawValue)"
        }
        guard status.holds(.ready, for: status.observedGeneration) else { return "it is not ready" }
        return isOpen == (spec.desiredPhase >= .backfill) ? nil : "the gate is wrong"
    }

    private func gateProblem(isOpen: Bool) -> String? {
        if workload.requires("split") {
            if isOpen, !runsNewPods { return "the rollout waits before an open gate" }
            return nil
        }
        return workload.isPaused ? "a workload that requires nothing is paused" : nil
    }
}

/// What is explored at a time.
private struct Part: Sendable, CustomTestStringConvertible {
    /// Interferences that are over when it begins, and all that came of them is there; nil where it begins with the birth.
    var past: [World.Step]?
    /// Who interferes then, one after the other, each at any moment; nil is whoever.
    var future: [World.Step?]

    init(past: [World.Step]? = nil, _ future: World.Step?...) {
        self.past = past
        self.future = future
    }

    var testDescription: String {
        let then = future.map { $0.map(\.testDescription) ?? "anybody" }.joined(separator: ", then ")
        return past.map { "at rest after [\($0.map(\.testDescription).joined(separator: ", "))], \(then)" } ?? then
    }
}

@Suite("Every way that it can take")
struct ExplorerTests {
    @Test("no pod runs without a proof, nothing is let go undone, and it ends as it was wished, whoever interferes")
    func explore() async throws {
        #expect(try await states(of: Part(nil)) > 10_000)
    }

    @Test(
        "nor where two and more do, in the long form", .enabled(if: TestServers.isSoak), .timeLimit(.minutes(20)),
        arguments: parts)
    fileprivate func explore(_ part: Part) async throws {
        #expect(try await states(of: part) > 100)
    }

    /// A part at a time, whose worlds are forgotten then: all ways of two interferences are more than a machine keeps.
    private static let parts: [Part] = {
        func wish(_ phase: Phase, _ plan: String = "a") -> World.Step { .wish(World.Wish(phase: phase, plan: plan)) }
        return [
            // A release that rolled out, or is held, and whatever comes then: its rollback among it.
            Part(past: [.apply], nil),
            Part(past: [wish(.contract), .apply], nil),
            Part(past: [wish(.expand), .apply], nil),
            Part(past: [wish(.initial), .apply], nil),
            Part(past: [.apply, .dropTrigger], nil),
            Part(past: [.apply, wish(.expand)], nil),
            Part(past: [wish(.backfill, "b"), .apply], nil),
            Part(past: [.apply, .delete], nil),
            // Rolled back, and released again: the operator has seen the one when the other comes.
            Part(past: [.apply, .rollBack], nil),
            Part(past: [.apply, .rollBack], wish(.initial), .apply),
            Part(past: [.apply, .rollBack], .dropTrigger, .apply),
            Part(past: [.apply, .rollBack], .delete, .apply),
            Part(past: [.apply, .rollBack, wish(.initial)], .apply, wish(.backfill)),
            Part(past: [.apply], .rollBack, wish(.initial)),
            Part(past: [.apply], .dropTrigger, .rollBack),
            Part(past: [wish(.expand), .apply], .rollBack, wish(.backfill)),
            Part(past: [wish(.expand)], .apply, wish(.backfill)),
            Part(past: [], .apply, .rollBack),
            Part(.apply, .rollBack),
            Part(past: [], .apply, .crash),
            // Who turns round, who is born again, who is hit twice.
            Part(wish(.initial), wish(.backfill)),
            Part(wish(.contract), wish(.initial)),
            Part(wish(.backfill, "b"), wish(.backfill)),
            Part(.delete, wish(.backfill)),
            Part(.delete, .crash),
            Part(.crash, .crash),
            Part(.loseDatabase, .crash),
            Part(.dropTrigger, .crash),
            Part(.reconcile(most: 1), .reconcile(most: 1)),
            Part(.reconcile(most: 2), .delete),
        ]
    }()

    private func states(of part: Part) async throws -> Int {
        let start = ContinuousClock.now
        let count = try await onOwnThread {
            var world = World(interferences: [])
            if let past = part.past { world = try world.atRest(after: past) }
            world.interferences = part.future
            var explorer = Explorer()
            try explorer.explore(from: world)
            return explorer.count
        }
        print("explored \(count) states in \(ContinuousClock.now - start): \(part.testDescription)")
        return count
    }
}
