import Foundation
import KubernetesClient
import MigrationOperator
import TestSupport
import Testing

@Suite("Specs made up from the schema, one after the other")
struct SpecChangeTests {
    @Test(
        "what breaks the schema is refused, what makes no sense is told, and the last spec alone decides the end",
        .timeLimit(.minutes(10)), arguments: TestServers.isSoak ? Array(1...20) : [1, 2])
    func changes(seed: UInt64) async throws {
        let expected = try await Self.applied.value
        try await withFaultStage { faults in
            try await faults.makeTables(["t"])
            var random = SplitMix(seed: seed)
            let end = try await faults.withOperator(proofSeconds: 1) { process in
                try await faults.apply([Self.manifest])
                let original = try await faults.stage.migration("t").rawSpec
                let mutations = SpecMutation.all(of: try await Self.schema(faults), in: original)
                let allowed = mutations.filter { $0.kind == .allowed }.shuffled(using: &random)
                let refused = mutations.filter { $0.kind == .refused }.shuffled(using: &random)
                #expect(allowed.count > 20 && refused.count > 40)
                for mutation in refused { try await Self.expectRefusal(mutation, of: original, faults) }
                let senseless = allowed.filter(\.makesNoSense).prefix(4)
                let others = allowed.filter { !$0.makesNoSense && !$0.makesAnotherPlan }
                    .prefix(TestServers.isSoak ? 60 : 8)
                for mutation in (senseless + others).shuffled(using: &random) {
                    try await Self.write(mutation.applied(to: original), faults)
                    // Some are overtaken by the next before anybody can have acted on them.
                    if mutation.makesNoSense || Bool.random(using: &random) {
                        try await Self.waitUntilTold(mutation, faults)
                    }
                    try #require(process.exitStatus == nil, "it ended: \(mutation)")
                    if Bool.random(using: &random) { try await Self.write(original, faults) }
                }
                try await Self.write(original, faults)
                return try await Self.settle(faults)
            }
            #expect(end.differences(from: expected) == [])
        }
    }

    private static let manifest = FaultStage.manifest("t", fields: "backfill: {workers: 1}")

    /// As the server has it.
    private static func schema(_ faults: FaultStage) async throws -> JSONValue {
        let crd = try await faults.stage.client.get(.customResourceDefinitions, ObjectKey("migrations.sluice.dev"))
        let version = crd.json[path: "spec", "versions"]?.array?.first
        return try #require(version?[path: "schema", "openAPIV3Schema", "properties", "spec"])
    }

    private static func write(_ spec: JSONValue, _ faults: FaultStage) async throws {
        for _ in 0..<20 { if try await isWritten(spec, faults) { return } }
        throw TestFailure("it cannot be written: \(spec.text)")
    }

    /// False when the operator wrote its status meanwhile.
    private static func isWritten(_ spec: JSONValue, _ faults: FaultStage) async throws(KubernetesError) -> Bool {
        let key = ObjectKey("t", in: faults.stage.namespace)
        var object = try await faults.stage.client.get(Migration.resource, key).json
        object["spec"] = spec
        do {
            _ = try await faults.stage.client.replace(DynamicObject.self, Migration.resource, key, object)
            return true
        } catch  where error.code == .conflict {
            return false
        }
    }

    private static func expectRefusal(_ mutation: SpecMutation, of original: JSONValue, _ faults: FaultStage)
        async throws
    {
        do {
            try await write(mutation.applied(to: original), faults)
            Issue.record("the server took \(mutation)")
        } catch let error as KubernetesError {
            #expect(error.code == .invalid || error.code == .badRequest, "\(mutation): \(error)")
        }
    }

    /// Until the status is of this spec, and says that it is ready or why it is not.
    private static func waitUntilTold(_ mutation: SpecMutation, _ faults: FaultStage) async throws {
        try await eventually("it is told of \(mutation)", within: .seconds(30)) {
            let migration = try await faults.stage.migration("t")
            let status = migration.status
            guard status?.observedGeneration == migration.metadata.generation else { return "behind" }
            let ready = status?.condition(.ready)
            if ready?.status == .yes { return mutation.makesNoSense ? "ready" : "" }
            if status?.condition(.stalled)?.status == .yes { return "" }
            let waits = ["Suspended", "WaitingForDependencies", "SecretNotFound", "InvalidDatabaseURL"]
            if waits.contains(ready?.reason ?? "") || ready?.reason?.hasPrefix("WaitingFor") == true { return "" }
            return "\(ready?.reason ?? "-"): \(ready?.message ?? "-")"
        } until: {
            $0.isEmpty
        }
    }

    private static func settle(_ faults: FaultStage) async throws -> EndState {
        try await faults.stage.waitFor(.ready, of: "t", within: .seconds(90))
        try await faults.stage.waitFor(.gateOpen, of: "t")
        try await faults.comeToRest()
        return try await EndState(of: faults.stage, table: "t", countsWalks: false)
    }

    private static let applied = Task {
        try await withFaultStage { faults in
            try await faults.makeTables(["t"])
            return try await faults.withOperator(proofSeconds: 1) { _ in
                try await faults.apply([manifest])
                return try await settle(faults)
            }
        }
    }
}
