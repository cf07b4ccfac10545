import Foundation
import Synchronization
import TestSupport
import Testing

@testable import KubernetesClient

@Suite("Requests as they are sent")
struct RequestTests {
    private func page(_ names: [String], then token: String? = nil) -> ScriptedServer.Act {
        let items = names.map { #"{"metadata":{"name":"\#($0)"}}"# }.joined(separator: ",")
        let next = token.map { #","continue":"\#($0)""# } ?? ""
        return .answer("200 OK", body: #"{"metadata":{"resourceVersion":"9"\#(next)},"items":[\#(items)]}"#)
    }

    private func lines(_ server: ScriptedServer) -> [String] {
        server.requests.map { String($0.text.prefix { $0 != "\r\n" }) }
    }

    @Test("a list comes in pages of 500, but not at a version; it says who asks")
    func pages() async throws {
        let server = try ScriptedServer { number in number == 1 ? page(["a"], then: "x y") : page(["b"]) }
        defer { server.stop() }
        let client = KubernetesClient(ClusterConfiguration(server: server.url), version: "1.2.3")
        let list = try await client.list(.configMaps, in: "shop")
        #expect(list.items.map(\.metadata.name) == ["a", "b"] && list.resourceVersion == "9")
        _ = try await client.list(.configMaps, in: "shop", ListOptions(resourceVersion: "0"))
        let path = "GET /api/v1/namespaces/shop/configmaps?"
        #expect(
            lines(server) == [
                path + "limit=500 HTTP/1.1", path + "limit=500&continue=x%20y HTTP/1.1",
                path + "resourceVersion=0 HTTP/1.1",
            ])
        #expect(server.requests.allSatisfy { $0.text.contains("\r\nUser-Agent: sluice/1.2.3\r\n") })
    }

    @Test("pages whose version is gone in the middle are taken whole")
    func expiredPages() async throws {
        let server = try ScriptedServer { number in
            switch number {
            case 1: page(["old"], then: "x")
            case 2: .answer("410 Gone", body: #"{"kind":"Status","reason":"Expired","code":410}"#)
            default: page(["a", "b"])
            }
        }
        defer { server.stop() }
        let client = KubernetesClient(ClusterConfiguration(server: server.url))
        #expect(try await client.list(.configMaps, in: "shop").items.map(\.metadata.name) == ["a", "b"])
        #expect(lines(server).last == "GET /api/v1/namespaces/shop/configmaps HTTP/1.1")
    }

    @Test("who may not write any more reads, and sends nothing else")
    func writingWhile() async throws {
        let server = try ScriptedServer { _ in .answer("200 OK", body: #"{"metadata":{"name":"a"}}"#) }
        defer { server.stop() }
        let mayWrite = Mutex(true)
        let client = KubernetesClient(ClusterConfiguration(server: server.url))
            .writing { mayWrite.withLock { $0 } }
        let key = ObjectKey("a", in: "shop")
        let write = { () async throws(KubernetesError) in
            try await client.apply(.configMaps, key, ["data": [:]], fieldManager: "test")
        }
        _ = try await write()
        mayWrite.withLock { $0 = false }
        _ = try await client.get(.configMaps, key)
        let refusal = await #expect(throws: KubernetesError.self) { try await write() }
        #expect(refusal?.code == .cancelled)
        #expect(lines(server).map { $0.prefix(5) } == ["PATCH", "GET /"])
    }

    @Test("the renewal of a lease keeps off the connection that all others share")
    func ownConnection() async throws {
        let (client, proxy) = try makeProxiedClient()
        defer { proxy.stop() }
        let own = client.withOwnConnection(timeout: .seconds(10))
        for _ in 1...3 {
            _ = try await client.serverVersion()
            _ = try await own.serverVersion()
        }
        #expect(proxy.open == 2)
    }

    @Test(
        "an answer that says no is asked for again where that does nothing twice, when the server says, and a few times",
        arguments: [
            // status, Retry-After, tries, may be repeated: milliseconds until the next try
            (429, nil, 1, false, 200), (429, nil, 2, false, 400), (429, nil, 4, false, nil), (429, 5, 1, false, 5000),
            (429, 0, 1, false, 100), (429, 11, 1, false, nil), (503, nil, 1, true, 200), (503, nil, 1, false, nil),
            (503, 2, 1, false, 2000), (500, nil, 3, true, 800), (504, nil, 1, true, nil), (504, 1, 1, true, 1000),
            (409, nil, 1, true, nil), (404, nil, 1, true, nil), (nil, nil, 1, true, nil),
        ] as [(Int?, Int?, Int, Bool, Int?)])
    func retries(status: Int?, asked: Int?, tries: Int, isIdempotent: Bool, delay: Int?) {
        var error = KubernetesError(.unavailable, "")
        error.httpStatus = status
        error.retryAfter = asked.map { .seconds($0) }
        #expect(
            RetryPolicy().delay(after: error, tries: tries, isIdempotent: isIdempotent)
                == delay.map { .milliseconds($0) })
    }

    @Test("a date in Retry-After is waited for")
    func retryAfterDate() async throws {
        let formatter = DateFormatter()
        formatter.locale = Locale(identifier: "en_US_POSIX")
        formatter.timeZone = TimeZone(identifier: "GMT")
        formatter.dateFormat = "EEE, dd MMM yyyy HH:mm:ss 'GMT'"
        let date = Date(timeIntervalSince1970: (Date().timeIntervalSince1970 + 2).rounded(.up))
        let text = formatter.string(from: date)
        let server = try ScriptedServer { number in
            number == 1
                ? .answer("503 Service Unavailable", headers: ["Retry-After: \(text)"])
                : .answer("200 OK", body: #"{"major":"1","minor":"20","gitVersion":"v1.20.2"}"#)
        }
        defer { server.stop() }
        _ = try await KubernetesClient(ClusterConfiguration(server: server.url)).serverVersion()
        // Foundation's date and the continuous clock may differ by a little.
        #expect(Date() >= date - 0.1)
    }
}
