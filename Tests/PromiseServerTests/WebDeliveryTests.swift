import DurablePromises
import Logging
import Prometheus
import Synchronization
import TestSupport
import Testing

@testable import PromiseServer

@Suite("Messages to a URL")
struct WebDeliveryTests {
    private static let message = PromiseMessage.execute(TaskReference(id: "a", version: 2))

    private func delivery(
        _ metrics: ServerMetrics = ServerMetrics(),
        hosts: Set<PushHost>? = nil,
        logger: Logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
    ) -> WebDelivery {
        WebDelivery(
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
            let delivery = delivery(hosts: Set(hosts.compactMap { PushHost($0) }))
            #expect(await delivery.deliver(Self.message, to: "\(listener.url)/hook") == isTaken)
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
        #expect(PushHost(of: address)?.description == host)
    }

    @Test(
        "a push host is what may stand in an address, and nothing else",
        arguments: [
            ("Hook.example", true), ("hook.example:8443", true), ("10.0.0.1", true), ("[::1]", true),
            ("[::1]:80", true),
            ("", false), (" ", false), ("*", false), ("*.example", false), ("http://127.0.0.1", false),
            ("a/b", false), ("me@a", false), ("::1", false), ("a:", false), ("a:0", false), ("a:65536", false),
            ("a:+80", false),
            (":80", false), ("a:b", false), ("a,b", false), ("a b", false), ("a?", false), ("[]", false),
        ]
    )
    func pushHost(_ text: String, _ isOne: Bool) {
        #expect((PushHost(text) != nil) == isOne)
    }

    @Test("a host that takes no messages is told of once, and once when it does again; of its address only the host")
    func log() async throws {
        let isWell = Atomic(false)
        let listener = try ScriptedServer { _ in
            .answer(isWell.load(ordering: .relaxed) ? "200 OK" : "500 Internal Server Error")
        }
        defer { listener.stop() }
        let lines = Mutex<[String]>([])
        let logger = Logger(label: "test") { _ in LineLog { line in lines.withLock { $0.append(line) } } }
        let delivery = delivery(logger: logger)
        func deliver(_ address: String) async -> Bool { await delivery.deliver(Self.message, to: address) }
        let hook = "http://127.0.0.1:\(listener.port)/secret/path?secret=query"
        for _ in 0..<2 { #expect(await !deliver(hook)) }
        for _ in 0..<2 { #expect(await !deliver("http://user:secret@127.0.0.1:1/secret")) }
        for _ in 0..<2 { #expect(await !deliver("http://127.0.0.1:1/secret")) }
        isWell.store(true, ordering: .relaxed)
        for _ in 0..<2 { #expect(await deliver(hook)) }
        isWell.store(false, ordering: .relaxed)
        #expect(await !deliver(hook))
        let said = lines.withLock { $0 }
        let host = "127.0.0.1:\(listener.port)"
        #expect(
            said == [
                "warning: messages are not taken: they wait, and are sent again [host=\(host), status=500]",
                "warning: messages cannot be delivered: they wait, and are sent again [error=refused, host=(unreadable)]",
                "warning: messages cannot be delivered: they wait, and are sent again [error=refused, host=127.0.0.1:1]",
                "notice: messages are taken again [host=\(host)]",
                "warning: messages are not taken: they wait, and are sent again [host=\(host), status=500]",
            ]
        )
    }

    @Test("a host that is not among the push hosts is told of once")
    func refusedHost() async throws {
        let lines = Mutex<[String]>([])
        let logger = Logger(label: "test") { _ in LineLog { line in lines.withLock { $0.append(line) } } }
        let delivery = delivery(hosts: [try #require(PushHost("hook.example"))], logger: logger)
        for _ in 0..<2 { #expect(await !delivery.deliver(Self.message, to: "http://127.0.0.1:1/secret")) }
        #expect(
            lines.withLock { $0 } == [
                "warning: messages are for a host that is not among the push hosts: they wait [host=127.0.0.1:1]"
            ]
        )
    }

    @Test("of more hosts than are kept in mind nothing is told")
    func manyHosts() throws {
        var failing = FailingHosts()
        func host(_ number: Int) throws -> PushHost { try #require(PushHost("h\(number)")) }
        for number in 0..<FailingHosts.most { #expect(failing.fails(try host(number))) }
        #expect(!failing.fails(try host(FailingHosts.most)))
        #expect(!failing.works(try host(FailingHosts.most)))
        #expect(failing.works(try host(0)))
        #expect(failing.fails(try host(FailingHosts.most)))
    }
}
