import Foundation
import KubernetesClient
import Logging
import Prometheus
import Synchronization
import TestSupport
import Testing

@testable import ControllerRuntime

private let logger = Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() })

private func makeClient(_ kubeconfig: String) throws -> KubernetesClient {
    KubernetesClient(try ClusterConfiguration.load(kubeconfig: kubeconfig, environment: [:]), version: "test")
}

/// Runs `body` beside `background`, which is cancelled and waited for at the end.
private func beside(
    _ background: [@Sendable () async throws -> Void], _ body: () async throws -> Void
) async throws {
    let tasks = background.map { work in Task { try await work() } }
    let result: Result<Void, any Error>
    do { result = .success(try await body()) } catch { result = .failure(error) }
    for task in tasks { task.cancel() }
    for task in tasks { _ = await task.result }
    try result.get()
}

@Suite("Controllers on a real API server")
struct ControllerTests {
    @Test("what happens to objects reaches the store and is reconciled, a deletion too")
    func listWatchReconcile() async throws {
        let client = try makeClient(TestServers.kubeconfig)
        try await withNamespace { namespace in
            try await client.create(.configMaps, in: namespace, ["metadata": ["name": "before"]])
            let reflector = Reflector(
                DynamicObject.self, .configMaps, in: namespace, client: client, logger: logger)
            let store = reflector.store
            let reconciled = Mutex<[String: Int]>([:])
            let controller = Controller<ObjectKey>(name: "test", logger: logger) { key in
                let isThere = store[key] != nil
                reconciled.withLock { $0["\(key.name) \(isThere)", default: 0] += 1 }
                return .done
            }
            store.observe { controller.queue.add($0.key) }
            try await beside([{ await reflector.run() }, { await controller.run() }]) {
                try await reflector.waitUntilSynced()
                #expect(store[ObjectKey("before", in: namespace)] != nil)
                try await client.create(.configMaps, in: namespace, ["metadata": ["name": "after"]])
                try await eventually("a reconcile") { reconciled.withLock { $0["after true"] != nil } }
                try await client.delete(.configMaps, ObjectKey("after", in: namespace))
                try await eventually("a reconcile of what is gone") { reconciled.withLock { $0["after false"] != nil } }
            }
        }
    }

    @Test("a restarted API server loses nothing: what changed meanwhile is seen, deletions too")
    func restartedServer() async throws {
        try await withPrivateControlPlane { controlPlane in
            let client = try makeClient(controlPlane.kubeconfig)
            try await client.create(.configMaps, in: "default", ["metadata": ["name": "goes"]])
            let reflector = Reflector(DynamicObject.self, .configMaps, in: "default", client: client, logger: logger)
            let store = reflector.store
            let deleted = Mutex<Set<String>>([])
            store.observe { change in
                if case .deleted(let object) = change { _ = deleted.withLock { $0.insert(object.metadata.name) } }
            }
            try await beside([{ await reflector.run() }]) {
                // The first list is what the server has at hand, which may be older.
                try await eventually("what was there") { store[ObjectKey("goes", in: "default")] != nil }
                try await controlPlane.stopAPIServer()
                try await controlPlane.startAPIServer()
                try await client.delete(.configMaps, ObjectKey("goes", in: "default"))
                try await client.create(.configMaps, in: "default", ["metadata": ["name": "comes"]])
                try await eventually("the new object", within: .seconds(40)) {
                    store[ObjectKey("comes", in: "default")] != nil
                }
                #expect(store[ObjectKey("goes", in: "default")] == nil)
                #expect(deleted.withLock { $0.contains("goes") })

                // Now the version that the watch stood at is gone as well: 410.
                try await controlPlane.stopAPIServer()
                try await controlPlane.startAPIServer()
                try await client.delete(.configMaps, ObjectKey("comes", in: "default"))
                for number in 0..<5 {
                    try await client.create(.configMaps, in: "default", ["metadata": ["name": "n-\(number)"]])
                }
                try await controlPlane.compact()
                try await controlPlane.stopAPIServer()
                try await controlPlane.startAPIServer()
                try await eventually("the last object", within: .seconds(60)) {
                    store[ObjectKey("n-4", in: "default")] != nil
                }
                #expect(store[ObjectKey("comes", in: "default")] == nil)
                #expect(deleted.withLock { $0.contains("comes") })
            }
        }
    }

    @Test("a reconcile that fails is repeated until it works, a terminal error is not, and no key has two workers")
    func retries() async throws {
        struct Failure: Error {}
        let calls = Mutex<[String: Int]>([:])
        let active = Mutex<Set<String>>([])
        let doubled = Mutex(false)
        let controller = Controller<String>(name: "test", workers: 8, logger: logger) { key in
            if !active.withLock({ $0.insert(key).inserted }) { doubled.withLock { $0 = true } }
            defer { _ = active.withLock { $0.remove(key) } }
            let count = calls.withLock { calls in
                calls[key, default: 0] += 1
                return calls[key]!
            }
            await Task.yield()
            if key == "terminal" { throw TerminalError(Failure()) }
            if key == "failing", count < 4 { throw Failure() }
            if key == "again", count < 3 { return .requeue(after: .milliseconds(10)) }
            return .done
        }
        try await beside([{ await controller.run() }]) {
            controller.queue.add("terminal")
            for _ in 0..<100 {
                controller.queue.add("busy")
                controller.queue.add("failing")
            }
            controller.queue.add("again")
            try await eventually("four tries") { calls.withLock { $0["failing", default: 0] } >= 4 }
            try await eventually("three looks") { calls.withLock { $0["again"] } == 3 }
        }
        #expect(calls.withLock { $0["terminal"] } == 1)
        #expect(!doubled.withLock { $0 })
    }

    @Test("a key that works is forgotten as a failure: its next failure waits 5 ms again")
    func forgets() async throws {
        struct Failure: Error {}
        let lines = Mutex<[String]>([])
        let log = Logger(label: "test", factory: { _ in LineLog { line in lines.withLock { $0.append(line) } } })
        let calls = Mutex(0)
        let controller = Controller<String>(name: "test", workers: 1, logger: log) { _ in
            let call = calls.withLock { calls in
                calls += 1
                return calls
            }
            switch call {
            case 1, 2, 4: throw Failure()
            case 3: return .requeue(after: .milliseconds(1))
            default: return .done
            }
        }
        try await beside([{ await controller.run() }]) {
            controller.queue.add("a")
            try await eventually("five calls") { calls.withLock { $0 } == 5 }
        }
        let delays = lines.withLock { $0 }.compactMap {
            $0.firstMatch(of: /after=([0-9.]+) seconds/).map { String($0.1) }
        }
        #expect(delays == ["0.005", "0.01", "0.005"])
    }

    @Test("long waits that a reconcile asks for are spread, short ones are not")
    func spread() {
        let random = RandomSource { 0.5 }
        #expect(Controller<String>.spread(.seconds(60), random) == .seconds(60))
        #expect(Controller<String>.spread(.seconds(600), random) == .seconds(630))
    }

    @Test("a reflector whose connection is reset, or frozen and reset, goes on and misses nothing")
    func brokenConnections() async throws {
        var configuration = try makeClient(TestServers.kubeconfig).configuration
        let port = try #require(URLComponents(string: configuration.server)?.port)
        let proxy = try TestProxy(.none, to: port)
        defer { proxy.stop() }
        configuration.server = "https://127.0.0.1:\(proxy.port)"
        let far = KubernetesClient(configuration)
        let near = try makeClient(TestServers.kubeconfig)
        try await withNamespace { namespace in
            let reflector = Reflector(DynamicObject.self, .configMaps, in: namespace, client: far, logger: logger)
            let store = reflector.store
            try await beside([{ await reflector.run() }]) {
                try await reflector.waitUntilSynced()
                for round in 1...2 {
                    let key = ObjectKey("c-\(round)", in: namespace)
                    try await near.create(.configMaps, in: namespace, ["metadata": ["name": .string(key.name)]])
                    try await eventually("the object", within: .seconds(20)) { store[key] != nil }
                    proxy.freeze()
                    try await near.delete(.configMaps, key)
                    proxy.cut()
                    proxy.thaw()
                    try await eventually("its end", within: .seconds(20)) { store[key] == nil }
                }
            }
        }
    }

    @Test("of two candidates one leads; when it leaves, the other goes on without waiting for the lease to run out")
    func leaderElection() async throws {
        let client = try makeClient(TestServers.kubeconfig)
        try await withNamespace { namespace in
            let lease = ObjectKey("operator", in: namespace)
            let leading = Mutex<[String]>([])
            let registry = MetricsRegistry()
            let metrics = LeaderMetrics(registry)
            @Sendable func stand(_ name: String) async throws {
                let election = LeaderElection(
                    client: client, lease: lease, identity: name,
                    timing: .init(lease: .seconds(30), renewDeadline: .seconds(10), retry: .milliseconds(100)),
                    metrics: name == "two" ? metrics : LeaderMetrics(MetricsRegistry()), logger: logger)
                try await election.run {
                    leading.withLock { $0.append(name) }
                    defer { leading.withLock { $0.append("-" + name) } }
                    try await Latch().wait()
                }
            }
            let one = Task { try await stand("one") }
            try await eventually("a leader") { leading.withLock { $0 } == ["one"] }
            try await beside([{ try await stand("two") }]) {
                let before = try await client.get(Lease.self, lease)
                try await eventually("a renewal") {
                    try await client.get(Lease.self, lease).spec.renewTime != before.spec.renewTime
                }
                #expect(leading.withLock { $0 } == ["one"])
                #expect(await registry.text().hasSuffix("leader_election_master_status{name=\"operator\"} 0\n"))
                one.cancel()
                _ = await one.result
                // Well within the lease of 30 s.
                try await eventually("the next leader") { leading.withLock { $0 } == ["one", "-one", "two"] }
                #expect(try await client.get(Lease.self, lease).spec.holderIdentity == "two")
                #expect(await registry.text().hasSuffix("leader_election_master_status{name=\"operator\"} 1\n"))
            }
            #expect(await registry.text().hasSuffix("leader_election_master_status{name=\"operator\"} 0\n"))
            let final = try await client.get(Lease.self, lease)
            #expect(final.spec.holderIdentity == "")
            #expect(final.spec.leaseDurationSeconds == 1)
        }
    }

    @Test("a leader whose lease somebody else took stops its work and says so")
    func leadershipLost() async throws {
        let client = try makeClient(TestServers.kubeconfig)
        try await withNamespace { namespace in
            let lease = ObjectKey("operator", in: namespace)
            let started = Latch()
            let election = LeaderElection(
                client: client, lease: lease, identity: "one",
                timing: .init(lease: .seconds(15), renewDeadline: .seconds(10), retry: .milliseconds(50)),
                logger: logger)
            let one = Task {
                try await election.run {
                    started.open()
                    try await Latch().wait()
                }
            }
            try await started.wait()
            try await client.patch(
                Lease.resource, lease, .merge(["spec": ["holderIdentity": "thief"]]), fieldManager: "test")
            await #expect(throws: LeadershipLost.self) { try await one.value }
            #expect(!election.isLeader)
            #expect(try await client.get(Lease.self, lease).spec.holderIdentity == "thief")
        }
    }

    @Test("the same event several times is one Event with a count")
    func events() async throws {
        let client = try makeClient(TestServers.kubeconfig)
        try await withNamespace { namespace in
            let object = try await client.create(.configMaps, in: namespace, ["metadata": ["name": "x"]])
            let recorder = EventRecorder(
                client: client, controller: "sluice.dev/operator", instance: "one", logger: logger)
            let regarding = ObjectReference(.configMaps, object.metadata)
            try await beside([{ await recorder.run() }]) {
                recorder.record(.normal, regarding: regarding, reason: "Started", note: "It began.")
                try await eventually("the event") {
                    try await client.list(Event.self, in: namespace).items.contains { $0.note == "It began." }
                }
                for _ in 0..<3 {
                    recorder.record(.normal, regarding: regarding, reason: "Started", note: "It began.")
                }
                recorder.record(.warning, regarding: regarding, reason: "Failed", note: "It broke.")
                try await eventually("its series") {
                    let events = try await client.list(Event.self, in: namespace).items
                    return events.count == 2 && events.contains { $0.series?.count == 4 && $0.reason == "Started" }
                }
            }
        }
    }
}
