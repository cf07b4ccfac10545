import Logging
import Synchronization
import TestSupport
import Testing

@testable import ControllerRuntime
@testable import KubernetesClient

private let logger = Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() })

/// What a server of 1.34 sends, replayed; and servers that do otherwise.
@Suite("Lists as streams")
struct StreamingListTests {
    private static func event(_ type: String, _ name: String, _ version: Int) -> String {
        #"{"type":"\#(type)","object":{"kind":"ConfigMap","apiVersion":"v1","metadata":{"name":"\#(name)","#
            + #""namespace":"shop","uid":"\#(name)","resourceVersion":"\#(version)"}}}"# + "\n"
    }

    private static func bookmark(_ version: Int, ends: Bool) -> String {
        let annotations = ends ? #","annotations":{"k8s.io/initial-events-end":"true"}"# : ""
        return #"{"type":"BOOKMARK","object":{"kind":"ConfigMap","apiVersion":"v1","metadata":{"#
            + #""resourceVersion":"\#(version)","creationTimestamp":null\#(annotations)}}}"# + "\n"
    }

    private static let list = ScriptedServer.Act.answer(
        "200 OK",
        body: #"{"kind":"ConfigMapList","metadata":{"resourceVersion":"30"},"items":["#
            + #"{"metadata":{"name":"listed","namespace":"shop","uid":"l","resourceVersion":"3"}}]}"#)

    /// A server of a minor version that answers what `streams` says, by the number of the request for a stream.
    private func server(
        minor: Int = 34, streams: @escaping @Sendable (Int) -> ScriptedServer.Act
    ) throws -> ScriptedServer {
        let count = Mutex(0)
        return try ScriptedServer(reading: { _, request in
            if request.hasPrefix("GET /version ") {
                return .answer("200 OK", body: #"{"major":"1","minor":"\#(minor)","gitVersion":"v1.\#(minor).0"}"#)
            }
            if request.contains("sendInitialEvents=true") {
                return streams(
                    count.withLock { count in
                        count += 1
                        return count
                    })
            }
            // A watch after a list stays silent.
            return request.contains("watch=true") ? .pieces([]) : Self.list
        })
    }

    /// The names in the store once `isEnough` holds of them, and the requests until then.
    private func names(
        of server: ScriptedServer, client: KubernetesClient, until isEnough: (Set<String>) -> Bool
    ) async throws -> Set<String> {
        let reflector = Reflector(DynamicObject.self, .configMaps, in: "shop", client: client, logger: logger)
        let running = Task { await reflector.run() }
        defer { running.cancel() }
        let names = try await eventually("the objects", within: .seconds(20)) {
            Set(reflector.store.objects().map(\.metadata.name))
        } until: {
            isEnough($0)
        }
        #expect(reflector.isSynced)
        return names
    }

    private func lines(_ server: ScriptedServer) -> [String] {
        server.requests.map { String($0.text.prefix { $0 != "\r\n" }) }
    }

    private func client(_ server: ScriptedServer) -> KubernetesClient {
        KubernetesClient(ClusterConfiguration(server: server.url))
    }

    @Test("what comes before the bookmark is in the store at once, and what comes after it follows, in one request")
    func streamed() async throws {
        let server = try server { _ in
            .pieces([
                Self.event("ADDED", "a", 5), Self.event("ADDED", "b", 6), Self.event("MODIFIED", "a", 9),
                Self.event("DELETED", "b", 10), Self.event("ADDED", "c", 11), Self.bookmark(11, ends: true),
                Self.event("ADDED", "d", 12), Self.bookmark(20, ends: false), Self.event("DELETED", "c", 21),
            ])
        }
        defer { server.stop() }
        let names = try await names(of: server, client: client(server)) { $0.contains("d") && !$0.contains("c") }
        #expect(names == ["a", "d"])
        let requests = lines(server)
        try #require(requests.count == 2)
        #expect(requests[1].contains("watch=true&allowWatchBookmarks=true&timeoutSeconds="))
        #expect(requests[1].contains("&sendInitialEvents=true&resourceVersionMatch=NotOlderThan HTTP/1.1"))
        #expect(!requests[1].contains("resourceVersion="))
    }

    @Test("of a stream that breaks off nothing is in the store; the next one counts alone")
    func brokenOff() async throws {
        let server = try server { number in
            number == 1
                ? .pieces([Self.event("ADDED", "half", 5), #"{"type":"ERROR","object":{"code":410}}"# + "\n"])
                : .pieces([Self.event("ADDED", "a", 6), Self.bookmark(7, ends: true)])
        }
        defer { server.stop() }
        let names = try await names(of: server, client: client(server)) { !$0.isEmpty }
        #expect(names == ["a"])
    }

    @Test("a stream that always breaks off is a list in the end")
    func alwaysBrokenOff() async throws {
        let server = try server { _ in .pieces([Self.event("ADDED", "half", 5)], thenClose: true) }
        defer { server.stop() }
        #expect(try await names(of: server, client: client(server)) { !$0.isEmpty } == ["listed"])
        #expect(lines(server).filter { $0.contains("sendInitialEvents") }.count == 2)
    }

    @Test(
        "a server that refuses, or does not know of it, is listed at once, and no reflector asks it again",
        arguments: ["422", "400", "ignores"])
    func refused(how: String) async throws {
        let server = try server { _ in
            switch how {
            case "ignores":
                // As a watch without a version begins on an old server; its bookmark says nothing of the beginning.
                .pieces([Self.event("ADDED", "half", 5), Self.bookmark(7, ends: false)])
            case "422":
                .answer(
                    "422 Unprocessable Entity",
                    body:
                        #"{"kind":"Status","status":"Failure","reason":"Invalid","code":422,"message":"sendInitialEvents: "#
                        + #"Forbidden: sendInitialEvents is forbidden for watch unless the WatchList feature gate is enabled"}"#
                )
            default:
                .answer("400 Bad Request", body: #"{"kind":"Status","reason":"BadRequest","code":400}"#)
            }
        }
        defer { server.stop() }
        let client = client(server)
        for _ in 1...2 {
            #expect(try await names(of: server, client: client) { !$0.isEmpty } == ["listed"])
        }
        #expect(lines(server).filter { $0.contains("sendInitialEvents") }.count == 1)
        #expect(lines(server).filter { $0.contains("/version") }.count == 1)
    }

    @Test("a server of before 1.32 is not asked")
    func old() async throws {
        let server = try server(minor: 31) { _ in .hangUp }
        defer { server.stop() }
        #expect(try await names(of: server, client: client(server)) { !$0.isEmpty } == ["listed"])
        #expect(!lines(server).contains { $0.contains("sendInitialEvents") })
    }

    @Test("a real server that cannot stream is listed, whatever was thought of it")
    func realServer() async throws {
        let client = KubernetesClient(
            try ClusterConfiguration.load(kubeconfig: TestServers.kubeconfig, environment: [:]))
        guard try await client.serverVersion().minorNumber < 32 else { return }
        client.streamingLists.learn(true)
        try await withNamespace { namespace in
            try await client.create(.configMaps, in: namespace, ["metadata": ["name": "a"]])
            let reflector = Reflector(DynamicObject.self, .configMaps, in: namespace, client: client, logger: logger)
            let running = Task { await reflector.run() }
            defer { running.cancel() }
            try await reflector.waitUntilSynced()
            #expect(reflector.store[ObjectKey("a", in: namespace)] != nil)
            #expect(client.streamingLists.known == false)
        }
    }
}
