import TestSupport
import Testing

@testable import KubernetesClient

@Suite("Watches on a real API server")
struct WatchTests {
    @Test("a watch tells of each change after the version it began at, in order")
    func changes() async throws {
        let client = try makeClient()
        try await withNamespace { namespace in
            let key = ObjectKey("settings", in: namespace)
            let list = try await client.list(.configMaps, in: namespace)
            let stream = try await client.watch(
                DynamicObject.self, .configMaps, in: namespace,
                WatchOptions(resourceVersion: list.resourceVersion, fieldSelector: "metadata.name=settings"))
            try await client.create(.configMaps, in: namespace, ["metadata": ["name": "settings"]])
            // Larger than any piece that a connection delivers, and not of one byte per character.
            let text = String(repeating: "ä€🙂", count: 30_000)
            try await client.patch(.configMaps, key, .merge(["data": ["a": .string(text)]]), fieldManager: "test")
            try await client.delete(.configMaps, key)
            var seen: [String] = []
            for try await event in stream {
                switch event {
                case .added: seen.append("added")
                case .modified(let object):
                    seen.append("modified")
                    #expect(object.json[path: "data", "a"] == .string(text))
                case .deleted: seen.append("deleted")
                case .bookmark: continue
                }
                if seen.last == "deleted" { break }
            }
            #expect(seen == ["added", "modified", "deleted"])
        }
    }

    @Test("the server ends a watch after its timeout, and the stream ends without an error")
    func timeout() async throws {
        let client = try makeClient()
        let stream = try await client.watch(
            DynamicObject.self, .namespaces,
            WatchOptions(resourceVersion: "0", timeout: .seconds(1), fieldSelector: "metadata.name=none"))
        for try await event in stream {
            if case .bookmark = event { continue }
            Issue.record("nothing has that name: \(event)")
        }
    }

    @Test("a version that etcd has compacted away is an expired watch, as HTTP status or in the stream")
    func compacted() async throws {
        try await withPrivateControlPlane(apiServerFlags: ["--watch-cache=false"]) { controlPlane in
            let client = try makeClient(of: controlPlane)
            let old = try await client.list(.configMaps, in: "default").resourceVersion
            // The last revision stays: only those before it are forgotten.
            for name in ["x", "y", "z"] {
                try await client.create(.configMaps, in: "default", ["metadata": ["name": .string(name)]])
            }
            try await controlPlane.compact()
            let error = await #expect(throws: KubernetesError.self) {
                let stream = try await client.watch(
                    DynamicObject.self, .configMaps, in: "default", WatchOptions(resourceVersion: old))
                for try await event in stream { guard case .bookmark = event else { break } }
            }
            #expect(error?.code == .expired)
        }
    }

    @Test("a server that does not know of streamed lists says so, or is silent and does not keep us waiting")
    func streamedListOfAnOldServer() async throws {
        let client = try makeClient()
        // 1.20 takes the parameter that says how fresh for a mistake.
        let error = await #expect(throws: KubernetesError.self) {
            try await client.watch(
                DynamicObject.self, .namespaces, WatchOptions(resourceVersion: nil, sendsInitialEvents: true))
        }
        #expect(error?.code == .invalid)
        let server = try ScriptedServer { _ in .pieces([]) }
        defer { server.stop() }
        var options = WatchOptions(resourceVersion: nil, timeout: .seconds(60), sendsInitialEvents: true)
        options.initialSilence = .milliseconds(200)
        let start = ContinuousClock.now
        let stream = try await KubernetesClient(ClusterConfiguration(server: server.url)).watch(
            DynamicObject.self, .namespaces, options)
        let silence = await #expect(throws: KubernetesError.self) {
            for try await event in stream { Issue.record("\(event)") }
        }
        #expect(silence?.code == .timeout)
        #expect(.now - start < .seconds(30))
    }

    @Test("after the list in a stream the server may be silent as in any watch")
    func silenceAfterAStreamedList() async throws {
        let bookmark =
            #"{"type":"BOOKMARK","object":{"metadata":{"resourceVersion":"7","annotations":{"k8s.io/initial-events-end":"true"}}}}"#
        let server = try ScriptedServer { _ in .pieces([bookmark + "\n"]) }
        defer { server.stop() }
        var options = WatchOptions(resourceVersion: nil, timeout: .milliseconds(-4000), sendsInitialEvents: true)
        options.initialSilence = .milliseconds(200)
        let start = ContinuousClock.now
        let stream = try await KubernetesClient(ClusterConfiguration(server: server.url)).watch(
            DynamicObject.self, .namespaces, options)
        let silence = await #expect(throws: KubernetesError.self) {
            for try await event in stream { #expect(event.resourceVersion == "7") }
        }
        #expect(silence?.code == .timeout)
        // The timeout and five seconds.
        #expect(.now - start >= .seconds(1))
    }
}
