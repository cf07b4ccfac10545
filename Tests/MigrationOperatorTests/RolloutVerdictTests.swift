import Foundation
import KubernetesClient
import MigrationEngine
import SchemaChange
import Testing

@testable import MigrationOperator

@Suite("The guards")
struct RolloutVerdictTests {
    private func set(
        _ name: String, requires: String?, replicas: Int = 0, remaining: Int = 0
    ) throws -> ReplicaSet {
        let annotations = requires.map { #"{"sluice.dev/requires": "\#($0)"}"# } ?? "{}"
        return try json(
            """
            {"metadata": {"name": "\(name)", "namespace": "shop", "uid": "uid-\(name)",
              "ownerReferences": [{"apiVersion": "apps/v1", "kind": "Deployment", "name": "api", "uid": "d1",
                                   "controller": true}]},
             "spec": {"replicas": \(replicas), "selector": {}, "template": {"metadata": {"annotations": \(annotations)}}},
             "status": {"replicas": \(remaining)}}
            """
        ).decode(ReplicaSet.self)
    }

    private func pod(_ name: String, of set: String, phase: String = "Running", requires: String? = nil) throws -> Pod {
        let annotations = requires.map { #"{"sluice.dev/requires": "\#($0)"}"# } ?? "{}"
        return try json(
            """
            {"metadata": {"name": "\(name)", "namespace": "shop", "annotations": \(annotations),
              "ownerReferences": [{"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "\(set)",
                                   "uid": "uid-\(set)", "controller": true}]},
             "status": {"phase": "\(phase)"}}
            """
        ).decode(Pod.self)
    }

    private func reason(_ verdict: GuardVerdict) -> String {
        switch verdict {
        case .allowed: "allowed"
        case .waiting(let reason, _): reason
        }
    }

    @Test("Contract is allowed when nothing but the new version runs")
    func rolledOut() throws {
        let state = RolloutState(
            workload: deployment(rolledOut: true),
            replicaSets: [try set("new", requires: "split", replicas: 3, remaining: 3), try set("old", requires: nil)],
            pods: [try pod("new-1", of: "new"), try pod("old-1", of: "old", phase: "Succeeded")])
        #expect(RolloutVerdict.isRolledOut(state, .needsNewSide, of: "split") == .allowed)
    }

    @Test("Contract waits for each of these")
    func waits() throws {
        func verdict(_ workload: Workload, _ sets: [ReplicaSet] = [], _ pods: [Pod] = []) -> String {
            reason(
                RolloutVerdict.isRolledOut(
                    RolloutState(workload: workload, replicaSets: sets, pods: pods), .needsNewSide, of: "split"))
        }
        #expect(verdict(deployment(requires: nil, rolledOut: true)) == "RolloutNotUpdated")
        #expect(verdict(deployment(requires: "other", rolledOut: true)) == "RolloutNotUpdated")
        #expect(verdict(deployment(paused: true, rolledOut: true)) == "RolloutPaused")
        #expect(verdict(deployment()) == "RolloutInProgress")
        var behind = deployment(rolledOut: true)
        behind.object.metadata.generation = 3
        #expect(verdict(behind) == "RolloutInProgress")
        let done = deployment(rolledOut: true)
        #expect(verdict(done, [try set("old", requires: nil, replicas: 1)]) == "OldVersionRuns")
        #expect(verdict(done, [try set("old", requires: nil, remaining: 1)]) == "OldVersionRuns")
        // Its ReplicaSet counts it no more, but it has not ended.
        #expect(verdict(done, [try set("old", requires: nil)], [try pod("p", of: "old")]) == "OldVersionRuns")
    }

    @Test("the way back waits for whoever needs what would go, and names them")
    func dependents() throws {
        func verdict(
            _ phase: Phase, _ workloads: [Workload] = [], _ sets: [ReplicaSet] = [], _ pods: [Pod] = []
        ) -> GuardVerdict {
            RolloutVerdict.dependents(
                on: "split", below: phase, workloads: workloads, replicaSets: sets, pods: pods)
        }
        #expect(verdict(.initial) == .allowed)
        #expect(verdict(.initial, [deployment(requires: "other")]) == .allowed)
        #expect(verdict(.initial, [deployment(replicas: 0)]) == .allowed)
        #expect(verdict(.initial, [], [try set("old", requires: "split")]) == .allowed)
        #expect(verdict(.initial, [], [], [try pod("p", of: "s", phase: "Failed", requires: "split")]) == .allowed)
        #expect(
            verdict(.dualWrite, [deployment()])
                == .waiting(
                    reason: "WaitingForDependents",
                    message: "Deployment api require split; roll them back, or scale them to zero, first"))
        #expect(reason(verdict(.initial, [], [try set("s", requires: "split", replicas: 1)])) != "allowed")
        #expect(reason(verdict(.initial, [], [], [try pod("p", of: "s", requires: "a, split")])) != "allowed")
        // Whoever needs no more than the columns may stay while they do.
        #expect(verdict(.expand, [deployment(requires: "split@Expand")]) == .allowed)
        #expect(reason(verdict(.initial, [deployment(requires: "split@Expand")])) != "allowed")
    }
}
