import KubernetesClient
import TestSupport
import Testing

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
}
