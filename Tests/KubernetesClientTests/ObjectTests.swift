import Foundation
import KubernetesClient
import TestSupport
import Testing

@Suite("Objects on a real API server")
struct ObjectTests {
    @Test("an object is created, read, listed and deleted")
    func lifeOfAnObject() async throws {
        let client = try makeClient()
        try await withNamespace { namespace in
            let key = ObjectKey("settings", in: namespace)
            let made = try await client.create(
                .configMaps, in: namespace, ["metadata": ["name": "settings"], "data": ["a": "ä\n\"1\""]])
            #expect(made.key == key)
            #expect(made.kind == "ConfigMap")
            let read = try await client.get(.configMaps, key)
            #expect(read.json[path: "data", "a"] == "ä\n\"1\"")
            #expect(read.metadata.uid == made.metadata.uid)
            #expect(try await client.list(.configMaps, in: namespace).items.contains { $0.key == key })
            try await client.delete(.configMaps, key)
            #expect(try await client.find(.configMaps, key) == nil)
        }
    }

    @Test("server-side apply by two managers: each keeps its own fields, a conflict names the other, force takes over")
    func serverSideApply() async throws {
        let client = try makeClient()
        try await withNamespace { namespace in
            let key = ObjectKey("web", in: namespace)
            try await client.apply(Deployment.self, key, deployment(), fieldManager: "user")
            let held = try await client.apply(
                Deployment.self, key, ["spec": ["paused": true]], fieldManager: "sluice-hold")
            #expect(held.spec.paused == true)
            #expect(held.spec.template.annotations == ["sluice.dev/requires": "split"])
            #expect(held.metadata.managedFields.contains { $0.manager == "sluice-hold" })

            let error = await #expect(throws: KubernetesError.self) {
                try await client.apply(
                    Deployment.self, key, ["spec": ["replicas": 3]], fieldManager: "sluice-hold")
            }
            #expect(error?.code == .conflict)
            #expect(error?.message.contains("user") == true)
            #expect(error?.causes.first?.field == ".spec.replicas")

            // Applying without a field that one owned gives it up.
            let released = try await client.apply(Deployment.self, key, [:], fieldManager: "sluice-hold")
            #expect(released.spec.paused != true)
            #expect(released.spec.replicas == 1)
            let forced = try await client.apply(
                Deployment.self, key, ["spec": ["replicas": 3]], fieldManager: "sluice-hold", force: true)
            #expect(forced.spec.replicas == 3)
        }
    }

    @Test("an apply that changes nothing leaves the resource version as it is")
    func applyIsIdempotent() async throws {
        let client = try makeClient()
        try await withNamespace { namespace in
            let key = ObjectKey("settings", in: namespace)
            let fields: JSONValue = ["data": ["a": "1"]]
            let first = try await client.apply(.configMaps, key, fields, fieldManager: "sluice")
            let second = try await client.apply(.configMaps, key, fields, fieldManager: "sluice")
            #expect(first.metadata.resourceVersion == second.metadata.resourceVersion)
        }
    }

    @Test("the status is written through its subresource, and the spec's generation stays")
    func status() async throws {
        let client = try makeClient()
        try await withNamespace { namespace in
            let pod = ObjectKey("one", in: namespace)
            try await client.create(
                Pod.self, Pod.resource, in: namespace,
                [
                    "metadata": ["name": "one"],
                    "spec": ["containers": [["name": "c", "image": "i"]], "automountServiceAccountToken": false],
                ])
            let ready = try await client.patch(
                Pod.self, pod,
                .merge(["status": ["phase": "Running", "conditions": [["type": "Ready", "status": "True"]]]]),
                fieldManager: "test", subresource: "status")
            #expect(ready.isReady)
            #expect(ready.status?.phase == "Running")
            let applied = try await client.applyStatus(
                Pod.self, pod, ["phase": "Failed"], fieldManager: "sluice")
            #expect(applied.isFinished)
        }
    }

    @Test("a patch bound to a version fails with a conflict once the object is another one")
    func boundPatch() async throws {
        let client = try makeClient()
        try await withNamespace { namespace in
            let key = ObjectKey("settings", in: namespace)
            let first = try await client.apply(.configMaps, key, ["data": ["a": "1"]], fieldManager: "one")
            let seen = try #require(first.metadata.resourceVersion)
            try await client.patch(
                .configMaps, key, .merge(["data": ["a": "2"]], ifVersion: seen), fieldManager: "two")
            let error = await #expect(throws: KubernetesError.self) {
                try await client.patch(
                    .configMaps, key, .merge(["data": ["a": "3"]], ifVersion: seen), fieldManager: "two")
            }
            #expect(error?.code == .conflict)
            let patched = try await client.patch(
                .configMaps, key,
                .json([
                    ["op": "test", "path": "/data/a", "value": "2"],
                    ["op": "replace", "path": "/data/a", "value": "4"],
                ]), fieldManager: "two")
            #expect(patched.json[path: "data", "a"] == "4")
        }
    }

    @Test("a deletion bound to another uid is refused; a finalizer keeps the object until it is gone")
    func boundDeletion() async throws {
        let client = try makeClient()
        try await withNamespace { namespace in
            let key = ObjectKey("settings", in: namespace)
            let made = try await client.create(
                .configMaps, in: namespace, ["metadata": ["name": "settings", "finalizers": ["sluice.dev/test"]]])
            let error = await #expect(throws: KubernetesError.self) {
                try await client.delete(.configMaps, key, DeleteOptions(uid: "another"))
            }
            #expect(error?.code == .conflict)
            try await client.delete(.configMaps, key, DeleteOptions(uid: made.metadata.uid))
            #expect(try await client.get(.configMaps, key).metadata.isBeingDeleted)
            try await client.patch(
                .configMaps, key, .merge(["metadata": ["finalizers": nil]]), fieldManager: "test")
            #expect(try await client.find(.configMaps, key) == nil)
        }
    }

    @Test("errors have the code of what went wrong, and the server's reason")
    func typedErrors() async throws {
        let client = try makeClient()
        let nobody = try makeClient(context: "nobody")
        try await withNamespace { namespace in
            func code(_ body: () async throws -> Void) async -> KubernetesError.Code? {
                do {
                    try await body()
                    return nil
                } catch {
                    return (error as? KubernetesError)?.code
                }
            }
            let key = ObjectKey("x", in: namespace)
            let object: JSONValue = ["metadata": ["name": "x"]]
            #expect(await code { _ = try await client.get(.configMaps, key) } == .notFound)
            #expect(await code { try await client.create(.configMaps, in: namespace, object) } == nil)
            #expect(await code { try await client.create(.configMaps, in: namespace, object) } == .alreadyExists)
            #expect(
                await code {
                    try await client.apply(.configMaps, ObjectKey("X_", in: namespace), [:], fieldManager: "a")
                }
                    == .invalid)
            #expect(await code { _ = try await nobody.get(.configMaps, key) } == .forbidden)
            var configuration = client.configuration
            configuration.credential = .token("wrong-token-of-a-test")
            configuration.clientCertificate = nil
            let stranger = KubernetesClient(configuration)
            let error = await #expect(throws: KubernetesError.self) { try await stranger.get(.configMaps, key) }
            #expect(error?.code == .unauthorized)
            let said = "\(String(describing: error)) \(configuration)"
            #expect(!said.contains("wrong-token"))
        }
    }

    @Test("a server that is not there, and a certificate that nobody vouches for, are told apart")
    func transportErrors() async throws {
        let client = try makeClient()
        let nowhere = KubernetesClient(ClusterConfiguration(server: "https://127.0.0.1:1"))
        let refused = await #expect(throws: KubernetesError.self) { try await nowhere.serverVersion() }
        #expect(refused?.code == .refused)
        var configuration = client.configuration
        configuration.certificateAuthority = nil
        configuration.skipsVerification = false
        let distrustful = KubernetesClient(configuration)
        let error = await #expect(throws: KubernetesError.self) { try await distrustful.serverVersion() }
        #expect(error?.code == .certificate)
    }

    @Test("a list of more objects than fit a page comes whole")
    func pagedList() async throws {
        let client = try makeClient()
        try await withNamespace { namespace in
            for number in 0..<25 {
                try await client.create(
                    .configMaps, in: namespace,
                    ["metadata": ["name": "c-\(number)", "labels": ["set": .string(number < 5 ? "few" : "many")]]])
            }
            let paged = try await client.list(
                .configMaps, in: namespace, ListOptions(labelSelector: "set", pageSize: 4))
            #expect(Set(paged.items.map(\.metadata.name)).count == 25)
            #expect(paged.items.count == 25)
            let few = try await client.list(.configMaps, in: namespace, ListOptions(labelSelector: "set=few"))
            #expect(few.items.count == 5)
        }
    }

    @Test("discovery tells which resources the server has")
    func discovery() async throws {
        let client = try makeClient()
        #expect(try await client.serverVersion().minorNumber >= 20)
        #expect(try await client.supports(Deployment.resource))
        #expect(try await client.supports(.configMaps))
        var unknown = Deployment.resource
        unknown.plural = "deploymentz"
        #expect(try await !client.supports(unknown))
        unknown.group = "sluice.example"
        #expect(try await !client.supports(unknown))
    }

    @Test("a token file is read again when the server refuses what was in it")
    func tokenFile() async throws {
        try await withNamespace { namespace in
            let client = try makeClient()
            let account = ObjectKey("robot", in: namespace)
            try await client.create(.serviceAccounts, in: namespace, ["metadata": ["name": "robot"]])
            let name = try await eventually("the account's token") {
                try await client.get(.serviceAccounts, account)["secrets"]?.array?.first?["name"]?.string
            }
            let secret = try await client.get(Secret.self, ObjectKey(name, in: namespace))
            let token = try #require(secret.string("token"))
            let path = try TestServers.folder + "/token-\(namespace)"
            try "not a token\n".write(toFile: path, atomically: true, encoding: .utf8)
            var configuration = client.configuration
            configuration.clientCertificate = nil
            configuration.credential = .tokenFile(path)
            let robot = KubernetesClient(configuration)
            let refused = await #expect(throws: KubernetesError.self) { try await robot.get(.configMaps, account) }
            #expect(refused?.code == .unauthorized)
            try "\(token)\n".write(toFile: path, atomically: true, encoding: .utf8)
            // The account may do nothing, but the server knows it now.
            let forbidden = await #expect(throws: KubernetesError.self) { try await robot.get(.configMaps, account) }
            #expect(forbidden?.code == .forbidden)
        }
    }

    @Test("a request whose task is cancelled ends at once")
    func cancellation() async throws {
        let client = try makeClient()
        try await withNamespace { namespace in
            let list = try await client.list(.configMaps, in: namespace)
            let stream = try await client.watch(
                DynamicObject.self, .configMaps, in: namespace, WatchOptions(resourceVersion: list.resourceVersion))
            let reader = Task {
                for try await event in stream { if case .added = event { return } }
            }
            reader.cancel()
            let error = await #expect(throws: KubernetesError.self) { try await reader.value }
            #expect(error?.code == .cancelled)
        }
    }
}
