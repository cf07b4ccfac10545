import Foundation
import HTTPClient
import KubernetesClient
import Logging
import MigrationOperator
import Prometheus
import Synchronization
import TestSupport
import Testing

@testable import OperatorServer

/// An operator at work in a namespace, and what it serves.
private struct Served: Sendable {
    let client: KubernetesClient
    let kubectl: Kubectl
    let namespace: String
    let state: OperatorState
    let port: Int

    func get(_ path: String) async throws -> (status: Int, body: String) {
        let transport = HTTPTransport(userAgent: "test")
        let response = try await transport.send(
            HTTPRequest(method: "GET", url: "http://127.0.0.1:\(port)\(path)", total: .seconds(10)))
        return (response.status, String(decoding: response.body, as: UTF8.self))
    }

    func gate(_ name: String) async throws -> (status: Int, body: JSONValue) {
        let answer = try await get("/gates/\(namespace)/\(name)")
        return (answer.status, try JSONValue(parsing: answer.body))
    }

    func apply(_ name: String = "split") async throws {
        try await kubectl(
            "apply", "-f", "-",
            input: """
                {"apiVersion": "sluice.dev/v1alpha1", "kind": "Migration", "metadata": {"name": "\(name)"}, "spec": {
                  "database": {"urlFrom": {"secretKeyRef": {"name": "db", "key": "url"}}},
                  "changes": [{"dropColumn": {"table": "t", "column": "c"}}]}}
                """)
    }
}

/// Where it listens, once it does.
private final class Port: Sendable {
    let number = Mutex<Int?>(nil)
}

/// Runs a server with the state of an operator that runs in `namespace` under `lease`.
private func withServed(
    runsOperator: Bool = true, _ body: @escaping @Sendable (Served) async throws -> Void
) async throws {
    let client = try testClient()
    try await Installer(client: client).install()
    try await withNamespace { namespace in
        try await OperatorAccount.settle(in: namespace)
        let account = KubernetesClient(try OperatorAccount.configuration(), version: "test")
        var configuration = OperatorConfiguration(cluster: account.configuration, identity: uniqueName("operator"))
        configuration.namespaces = [namespace]
        configuration.leaseNamespace = namespace
        let logger = Logger(label: "test")
        let state = OperatorState()
        let registry = MetricsRegistry()
        let metrics = OperatorMetrics(registry)
        let service = OperatorService(configuration, state: state, metrics: metrics, logger: logger)
        var settings = OperatorServerSettings()
        settings.serve([.probes, .metrics, .gates], at: .init(host: "127.0.0.1", port: 0))
        let server = OperatorServer(settings, client: account, state: state, registry: registry, logger: logger)
        let port = Port()
        try await withThrowingTaskGroup(of: Void.self) { group in
            if runsOperator { group.addTask { try await service.run() } }
            group.addTask {
                try await server.run { text in
                    port.number.withLock { $0 = text.split(separator: ":").last.flatMap { Int($0) } }
                }
            }
            defer { group.cancelAll() }
            let found = try await eventually("it listens") { port.number.withLock { $0 } }
            try await body(
                Served(
                    client: client, kubectl: try Kubectl(namespace: namespace), namespace: namespace, state: state,
                    port: found))
        }
    }
}

@Suite("What an operator serves")
struct ServingTests {
    @Test("a port that another program has ends it, and says which", .timeLimit(.minutes(1)))
    func takenPort() async throws {
        let other = try ScriptedServer { _ in .silence }
        defer { other.stop() }
        var settings = OperatorServerSettings()
        settings.serve(.probes, at: .init(host: "127.0.0.1", port: other.port))
        let server = OperatorServer(
            settings, client: try testClient(), state: OperatorState(), logger: Logger(label: "test"))
        await #expect(throws: (any Error).self) { try await server.run { _ in } }
    }

    @Test("probes: alive at once, ready once the first lists are there")
    func probes() async throws {
        try await withServed { served in
            // One that stands by is ready, and one that has just become the leader is not for a moment.
            try await eventually("it leads, and is ready") {
                let status = try await served.get("/readyz").status
                return status == 200 && served.state.isLeading && served.state.isReady
            }
            #expect(try await served.get("/readyz").status == 200)
            #expect(try await served.get("/healthz").status == 200)
            #expect(try await served.get("/nothing").status == 404)
        }
        try await withServed(runsOperator: false) { served in
            let (alive, ready) = (try await served.get("/healthz"), try await served.get("/readyz"))
            #expect(alive.status == 200)
            #expect(ready.status == 503)
        }
    }

    @Test("a gate is what the API server has at that moment, and closed where there is none")
    func gates() async throws {
        // Without an operator: any replica answers, and nothing writes a status but this test.
        try await withServed(runsOperator: false) { served in
            let missing = try await served.gate("split")
            #expect(missing.status == 404)
            #expect(missing.body["gate"] == "closed" && missing.body["verified"] == false)
            #expect(missing.body["reason"] == "NotFound")

            try await served.apply()
            let unseen = try await served.gate("split")
            #expect(unseen.status == 200)
            #expect(unseen.body["gate"] == "closed" && unseen.body["verified"] == false)

            let key = ObjectKey("split", in: served.namespace)
            let live = try await served.client.get(Migration.self, key)
            func status(_ generation: Int64, _ gate: String) -> JSONValue {
                let conditions: [JSONValue] = ["Verified", "GateOpen"].map { type in
                    [
                        "type": .string(type), "status": gate == "Open" ? "True" : "False", "reason": "Verified",
                        "message": "every row is proven", "observedGeneration": .int(generation),
                        "lastTransitionTime": "2026-01-01T00:00:00Z",
                    ]
                }
                return [
                    "observedGeneration": .int(generation), "gate": .string(gate), "phase": "Backfill",
                    "planHash": "sha256:p",
                    "verification": [
                        "rowsCompared": 3, "oldSide": 3, "newSide": 0, "mismatches": 0, "planHash": "sha256:p",
                        "walPosition": "0/1", "at": "2026-01-01T00:00:00Z",
                    ],
                    "conditions": .array(conditions),
                ]
            }
            let generation = try #require(live.metadata.generation)
            try await served.client.applyStatus(
                Migration.self, key, status(generation, "Open"), fieldManager: "sluice")
            let open = try await served.gate("split")
            #expect(open.status == 200)
            #expect(
                open.body == [
                    "gate": "open", "verified": true, "planHash": "sha256:p", "phase": "Backfill",
                    "reason": "Verified", "message": "every row is proven",
                ])

            // A status of an older generation opens nothing.
            try await served.kubectl(
                "patch", "migration", "split", "--type=merge", "-p", #"{"spec":{"suspend":true}}"#)
            let stale = try await served.gate("split")
            #expect(stale.body["gate"] == "closed" && stale.body["verified"] == false)
            #expect(stale.body["reason"] == "Reconciling")
        }
    }

    @Test("a Migration has its series while it is there, in the leader")
    func metrics() async throws {
        try await withServed { served in
            try await eventually("it leads") { served.state.isLeading && served.state.isReady }
            try await served.apply()
            let label = #"name="split",namespace="\#(served.namespace)""#
            let text = try await eventually("its series are there") {
                try await served.get("/metrics").body
            } until: {
                $0.contains(#"sluice_migration_condition{\#(label),status="True",type="Reconciling"} 1"#)
            }
            #expect(text.contains(#"sluice_migration_info{\#(label),phase=""#))
            #expect(text.contains("sluice_migration_gate_open{\(label)} 0"))
            #expect(text.contains(#"leader_election_master_status{name="sluice"} 1"#))
            #expect(text.contains(#"controller_runtime_reconcile_total{controller="migrations",result="success"}"#))
            #expect(text.contains(#"workqueue_depth{name="gates"}"#))
            #expect(text.contains("# TYPE sluice_migration_rows_done gauge"))
            try await served.kubectl("delete", "migration", "split", "--timeout=20s")
            try await eventually("its series are gone") {
                try await !served.get("/metrics").body.contains(label)
            }
        }
        try await withServed(runsOperator: false) { served in
            try await served.apply()
            let text = try await served.get("/metrics").body
            #expect(text.contains("# TYPE sluice_migration_info gauge"))
            #expect(!text.contains("sluice_migration_info{"))
        }
    }

    @Test("no more run at once than may, and the rest is refused at once")
    func limit() async throws {
        let limit = ConcurrencyLimit(1)
        let inner = await limit.run { await limit.run { true } }
        #expect(inner == .some(nil))
        #expect(await limit.run { true } == true)
    }

    @Test("what takes too long is cut off")
    func timeLimit() async throws {
        await #expect(throws: TimeIsOver.self) {
            try await within(.milliseconds(10)) { try await Task.sleep(for: .seconds(60)) }
        }
    }

    @Test("addresses that are the same are served together")
    func places() {
        var settings = OperatorServerSettings()
        settings.serve(.probes, at: .init(host: "::", port: 1))
        settings.serve(.metrics, at: .init(host: "::", port: 2))
        settings.serve(.gates, at: .init(host: "::", port: 2))
        #expect(settings.places.map(\.offers) == [.probes, [.metrics, .gates]])
        #expect("\(settings.places[1].offers)" == "metrics, gates")
    }
}
