import DurablePromises
import Logging
import Prometheus
import TestSupport
import Testing

@testable import PromiseServer

@Suite("Messages to a URL")
struct WebDeliveryTests {
    private static let message = PromiseMessage.execute(TaskReference(id: "a", version: 2))

    private func delivery(
        _ metrics: ServerMetrics = ServerMetrics(),
        hosts: Set<String>? = nil
    ) -> WebDelivery {
        let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        return WebDelivery(
            url: "http://me", hosts: hosts, timeout: .milliseconds(500), metrics: metrics, logger: logger
        )
    }

    @Test(
        "only a status of 200 to 299 means that a message was taken",
        arguments: [
            ("200 OK", true, "delivered"), ("204 No Content", true, "delivered"), ("302 Found", false, "failed"),
            ("410 Gone", false, "gone"), ("500 Internal Server Error", false, "failed"),
        ]
    )
    func statuses(_ status: String, _ isTaken: Bool, _ word: String) async throws {
        let elsewhere = try ScriptedServer { _ in .answer("200 OK") }
        defer { elsewhere.stop() }
        let listener = try ScriptedServer { _ in .answer(status, headers: ["Location: \(elsewhere.url)/hook"]) }
        defer { listener.stop() }
        let metrics = ServerMetrics()
        #expect(await delivery(metrics).deliver(Self.message, to: "\(listener.url)/hook") == isTaken)
        let request = try #require(listener.requests.first?.text)
        #expect(request.hasPrefix("POST /hook HTTP/1.1\r\n"))
        #expect(request.contains("Content-Type: application/json\r\n"))
        #expect(
            request.hasSuffix(
                #"{"kind":"execute","head":{"serverUrl":"http://me"},"data":{"task":{"id":"a","version":2}}}"#
            )
        )
        #expect(elsewhere.requests.isEmpty)
        let text = await metrics.registry.text()
        #expect(text.contains(#"resonate_deliveries_total{status="\#(word)"} 1"#))
        #expect(text.contains(#"resonate_messages_total{kind="execute"} 1"#))
    }

    @Test("who does not answer, or is not there, has not taken it")
    func silence() async throws {
        let listener = try ScriptedServer { _ in .silence }
        #expect(await !delivery().deliver(Self.message, to: "\(listener.url)/hook"))
        #expect(listener.requests.count == 1)
        listener.stop()
        #expect(await !delivery().deliver(Self.message, to: "http://127.0.0.1:1/"))
    }

    @Test("hosts that are not allowed are not asked")
    func hosts() async throws {
        let listener = try ScriptedServer { _ in .answer("200 OK") }
        defer { listener.stop() }
        for (hosts, isTaken) in [
            (["127.0.0.1"], true), (["127.0.0.1:\(listener.port)"], true), (["127.0.0.1:1"], false),
            (["example"], false),
        ] {
            #expect(await delivery(hosts: Set(hosts)).deliver(Self.message, to: "\(listener.url)/hook") == isTaken)
        }
        #expect(listener.requests.count == 2)
    }

    @Test(
        "a host is read from an address only where there is one way of reading it",
        arguments: [
            ("http://Hook.example/x?y", "hook.example"), ("https://hook.example:8443", "hook.example:8443"),
            ("http://[::1]:80/", "[::1]:80"), ("http://good.example@evil.example/", nil),
            (#"http://evil.example\.good.example/"#, nil), ("http://evil%2e.example/", nil), ("http:///x", nil),
            ("nothing", nil),
        ] as [(String, String?)]
    )
    func host(_ address: String, _ host: String?) {
        #expect(WebDelivery.host(of: address) == host)
    }
}
