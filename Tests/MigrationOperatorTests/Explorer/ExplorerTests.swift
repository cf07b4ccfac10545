import Foundation
import KubernetesClient
import MigrationEngine
import SchemaChange
import TestSupport
import Testing

@testable import MigrationOperator

/// Breadth first through every world that can come of the first one, to a bound of interferences.
private struct Explorer {
    private(set) var visited: Set<World> = []
    /// Worlds from which it is known to come to its end.
    private var ends: Set<World> = []
    /// How each was come to, for the story of a violation.
    private var origins: [World: (World, World.Step)] = [:]

    mutating func explore(from first: World) throws {
        var frontier = [first]
        visited = [first]
        while !frontier.isEmpty {
            var next: [World] = []
            for world in frontier {
                for step in world.fairSteps + world.interferingSteps {
                    let after: World
                    do {
                        after = try world.after(step)
                    } catch {
                        throw World.Violation(description: "\(error): \(story(of: world, step))")
                    }
                    guard visited.insert(after).inserted else { continue }
                    origins[after] = (world, step)
                    next.append(after)
                }
            }
            frontier = next
        }
        for world in visited { try followToItsEnd(world) }
    }

    /// Lets nobody interfere, and everything that comes by itself come.
    private mutating func followToItsEnd(_ world: World) throws {
        var path: [World] = []
        var current = world
        var quiet = 0
        for _ in 0..<80 {
            if ends.contains(current) { break }
            path.append(current)
            let before = current
            for step in current.fairSteps { current = try current.after(step) }
            // What is tried again and again, such as a run that finds a trigger gone, must write nothing.
            // A gate may end one decision and come to the next in six rounds without a write.
            quiet = current.isWritten(as: before) ? quiet + 1 : 0
            guard quiet == 8 else { continue }
            if let problem = current.problemAtRest {
                throw World.Violation(
                    description:
                        "it ends badly, \(problem), with \(current.migration?.status?.text(.ready) ?? "no status") and "
                        + "\(String(describing: current.process.worker?.report?.activity)): \(story(of: world, nil))")
            }
            ends.formUnion(path)
            return
        }
        guard ends.contains(current) else {
            throw World.Violation(description: "it does not end: \(story(of: world, nil))")
        }
        ends.formUnion(path)
    }

    private func story(of world: World, _ last: World.Step?) -> String {
        var steps = last.map { ["\($0)"] } ?? []
        var current = world
        while let (origin, step) = origins[current] {
            steps.append("\(step)")
            current = origin
        }
        return steps.reversed().joined(separator: ", ")
    }
}

extension World {
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

@Suite("Every way that it can take")
struct ExplorerTests {
    @Test("no pod runs without a proof, nothing is let go undone, and it ends as it was wished, whoever interferes")
    func explore() async throws {
        let interferences = TestServers.isSoak ? 2 : 1
        let start = ContinuousClock.now
        let count = try await onOwnThread {
            var explorer = Explorer()
            try explorer.explore(from: World(interferences: interferences))
            return explorer.visited.count
        }
        print("explored \(count) states, \(interferences) interferences at most, in \(ContinuousClock.now - start)")
        #expect(count > 10_000)
    }
}
