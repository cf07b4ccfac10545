import KubernetesClient
import MigrationEngine
import SchemaChange
import TestSupport
import Testing

@testable import MigrationOperator

@Suite("The guards of Contract, by what an API server says")
struct RolloutGuardsTests {
    @Test(
        "wait for a rollout of each kind by its name: for one that is missing, and for one that is not the new version",
        arguments: WorkloadKind.allCases)
    func kinds(_ kind: WorkloadKind) async throws {
        try await Installer(client: testClient()).install()
        try await withNamespace { namespace in
            let kubectl = try Kubectl(namespace: namespace)
            let client = KubernetesClient(try OperatorAccount.configuration(), version: "test")
            var served = kind.resources[0]
            for resource in kind.resources where try await client.supports(resource) { served = resource }
            let reference = #"{"apiVersion": "\#(served.apiVersion)", "kind": "\#(kind.rawValue)", "name": "w"}"#
            try await kubectl("apply", "-f", "-", input: manifest(#""rollouts": [\#(reference)]"#))
            let migration = try await client.get(Migration.self, ObjectKey("split", in: namespace))
            let guards = RolloutGuards(
                client: client, migration: migration.key, uid: migration.metadata.uid,
                generation: migration.generation, spec: try #require(migration.spec))
            #expect(
                try await guards.mayContract()
                    == .waiting(
                        reason: "RolloutNotFound",
                        message: "there is no \(kind.rawValue) w; mend spec.rollouts, or apply it"))
            // The kind is Argo's: no server of the tests has to have it.
            guard try await client.supports(served), kind != .rollout else { return }

            try await kubectl(
                "apply", "--validate=false", "-f", "-",
                input: workloadManifest(kind, served, image: "w:1", requires: nil))
            guard case .waiting(let reason, let message) = try await guards.mayContract() else {
                Issue.record("it is not waited for")
                return
            }
            #expect(reason != "RolloutNotFound")
            #expect(message.contains("\(kind.rawValue) w"), "\(message)")
        }
    }
}
