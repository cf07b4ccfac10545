import Foundation
import KubernetesClient
import TestSupport
import Testing

@Suite("The proxy of a cluster")
struct ProxyTests {
    /// The control plane under a name that only a proxy can find, and that its certificate has.
    private func configuration() throws -> (hidden: ClusterConfiguration, port: Int) {
        var configuration = try makeClient().configuration
        let port = try #require(URLComponents(string: configuration.server)?.port)
        configuration.server = "https://kubernetes.default.svc:\(port)"
        return (configuration, port)
    }

    @Test(
        "requests and watches go through it, by the server's name",
        arguments: [(TestProxy.Kind.connect, "http"), (.socks5, "socks5")])
    func through(kind: TestProxy.Kind, scheme: String) async throws {
        var (configuration, port) = try configuration()
        let proxy = try TestProxy(kind, to: port)
        defer { proxy.stop() }
        configuration.proxy = "\(scheme)://127.0.0.1:\(proxy.port)"
        let client = KubernetesClient(configuration)
        // What the proxy says before the first one is not taken for the answer.
        var unknown = ResourceDescriptor.configMaps
        unknown.plural = "unknown"
        let error = await #expect(throws: KubernetesError.self) {
            try await client.watch(DynamicObject.self, unknown, WatchOptions(resourceVersion: "0"))
        }
        #expect(error?.code == .notFound)
        #expect(try await client.serverVersion().minorNumber >= 20)
        let stream = try await client.watch(
            DynamicObject.self, .namespaces, WatchOptions(resourceVersion: "0", timeout: .seconds(1)))
        var count = 0
        for try await event in stream { if case .added = event { count += 1 } }
        #expect(count > 0)
        #expect(Set(proxy.asked) == ["kubernetes.default.svc:\(port)"])
    }

    @Test("a name that is given for the server's certificate is not the one that the proxy is asked for")
    func serverName() async throws {
        var (configuration, port) = try configuration()
        let proxy = try TestProxy(.connect, to: port)
        defer { proxy.stop() }
        configuration.server = "https://somewhere.example:\(port)"
        configuration.tlsServerName = "kubernetes.default"
        configuration.proxy = "http://127.0.0.1:\(proxy.port)"
        #expect(try await KubernetesClient(configuration).serverVersion().minorNumber >= 20)
        #expect(proxy.asked == ["somewhere.example:\(port)"])
    }

    @Test("a proxy that is not there is told from a server that is not, and its password is in no message")
    func missing() async throws {
        var configuration = try configuration().hidden
        configuration.proxy = "http://me:a-secret@127.0.0.1:1"
        let error = await #expect(throws: KubernetesError.self) {
            try await KubernetesClient(configuration).serverVersion()
        }
        #expect(error?.code == .refused)
        #expect("\(String(describing: error)) \(configuration)".contains("a-secret") == false)
    }

    @Test("that of the environment is used, but for what NO_PROXY names; that of the kubeconfig goes before both")
    func environment() async throws {
        let (configuration, port) = try configuration()
        let proxy = try TestProxy(.connect, to: port)
        defer { proxy.stop() }
        let folder = NSTemporaryDirectory() + "/" + uniqueName("proxy")
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        func status(_ environment: [String: String], proxyURL: String? = nil, server: String? = nil) async throws
            -> String
        {
            var kubeconfig = try String(contentsOfFile: TestServers.kubeconfig, encoding: .utf8)
            let proxyLine = proxyURL.map { "\n    proxy-url: \($0)" } ?? ""
            kubeconfig.replace(
                "server: https://127.0.0.1:\(port)", with: "server: \(server ?? configuration.server)" + proxyLine)
            try kubeconfig.write(toFile: folder + "/config", atomically: true, encoding: .utf8)
            return try await Program.run(
                TestServers.sluice, ["status", "--kubeconfig", folder + "/config"], environment: environment
            ).standardError
        }
        let here = "http://127.0.0.1:\(proxy.port)"
        let nowhere = "http://127.0.0.1:1"
        let unknown = "Could not resolve host"
        // The control plane has no Migrations, which only it can know.
        #expect(try await !status(["HTTPS_PROXY": here]).contains(unknown))
        #expect(proxy.asked == ["kubernetes.default.svc:\(port)"])
        #expect(try await status(["HTTPS_PROXY": here, "NO_PROXY": ".svc"]).contains(unknown))
        #expect(proxy.asked.count == 1)
        // A server on this machine needs none.
        _ = try await status(["HTTPS_PROXY": here], server: "https://127.0.0.1:\(port)")
        #expect(proxy.asked.count == 1)
        _ = try await status(["HTTPS_PROXY": nowhere, "NO_PROXY": "*"], proxyURL: here)
        #expect(proxy.asked.count == 2)
    }

    @Test("requests are made as somebody else where the kubeconfig says so")
    func impersonation() async throws {
        var configuration = try makeClient().configuration
        configuration.impersonation = .init(user: "somebody")
        let error = await #expect(throws: KubernetesError.self) {
            try await KubernetesClient(configuration).get(.namespaces, ObjectKey("default"))
        }
        #expect(error?.code == .forbidden)
        #expect(error?.message.contains(#"User "somebody""#) == true)
        configuration.impersonation?.groups = ["developers", "system:masters"]
        configuration.impersonation?.extra = ["sluice.dev/Reason": ["a test"]]
        _ = try await KubernetesClient(configuration).get(.namespaces, ObjectKey("default"))
    }
}
