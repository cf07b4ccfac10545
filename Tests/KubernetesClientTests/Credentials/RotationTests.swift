import Foundation
import HTTPClient
import Prometheus
import Synchronization
import TestSupport
import Testing

@testable import KubernetesClient

@Suite("Credentials that change")
struct RotationTests {
    private final class Clock: Sendable {
        private let instant = Mutex(ContinuousClock.now)
        var now: ContinuousClock.Instant { instant.withLock { $0 } }
        func advance(by duration: Duration) { instant.withLock { $0 += duration } }
    }

    /// Runs `body` with a folder of its own.
    private func withFolder<Value>(_ body: (String) async throws -> Value) async throws -> Value {
        let folder = NSTemporaryDirectory() + "/" + uniqueName("rotation")
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        return try await body(folder)
    }

    private func write(_ text: String, _ path: String) throws {
        try text.write(toFile: path, atomically: true, encoding: .utf8)
    }

    private func client(_ configuration: ClusterConfiguration, _ clock: Clock) -> KubernetesClient {
        KubernetesClient(
            configuration, version: "test", connection: .shared, timeout: .seconds(30),
            metrics: ClientMetrics(MetricsRegistry()),
            credentials: CredentialSource(configuration, now: { clock.now }))
    }

    @Test(
        "files are read again after a minute, and at once after a refusal; one in the middle of its replacement is not")
    func files() async throws {
        try await withFolder { folder in
            var configuration = ClusterConfiguration(server: "https://x")
            configuration.credential = .tokenFile(folder + "/token")
            configuration.certificateAuthority = .file(folder + "/ca")
            configuration.clientCertificate = .init(certificate: .file(folder + "/crt"), key: .file(folder + "/key"))
            func write(_ version: Int) throws {
                for name in ["token", "ca", "crt", "key"] {
                    try self.write("\(name) \(version)\n", "\(folder)/\(name)")
                }
            }
            func expect(_ version: Int, _ credentials: Credentials?, line: Int = #line) {
                let bytes = { (name: String) in Array("\(name) \(version)\n".utf8) }
                let location = SourceLocation(fileID: #fileID, filePath: #filePath, line: line, column: 1)
                #expect(credentials?.authorization == "Bearer token \(version)", sourceLocation: location)
                #expect(credentials?.tls.certificateAuthority == bytes("ca"), sourceLocation: location)
                #expect(credentials?.tls.identity?.certificate == bytes("crt"), sourceLocation: location)
                #expect(credentials?.tls.identity?.key == bytes("key"), sourceLocation: location)
            }
            let clock = Clock()
            let source = CredentialSource(configuration, now: { clock.now })
            let error = await #expect(throws: KubernetesError.self) { try await source.current() }
            #expect(error?.code == .configuration)
            try write(1)
            expect(1, try await source.current())
            try write(2)
            clock.advance(by: .seconds(59))
            expect(1, try await source.current())
            clock.advance(by: .seconds(1))
            expect(2, try await source.current())
            try write(3)
            let present = try await source.current()
            expect(2, present)
            expect(3, try await source.renewed(after: present, isRefused: true))
            // Nothing newer: another try would fare no better.
            #expect(try await source.renewed(after: source.current(), isRefused: true) == nil)
            for name in ["token", "ca"] { try self.write("\n", "\(folder)/\(name)") }
            for name in ["crt", "key"] { try FileManager.default.removeItem(atPath: "\(folder)/\(name)") }
            clock.advance(by: .seconds(60))
            expect(3, try await source.current())
            try write(4)
            expect(4, try await source.current())
        }
    }

    @Test("a token file with several lines is refused: each would be a header")
    func severalLines() async throws {
        try await withFolder { folder in
            var configuration = ClusterConfiguration(server: "https://x")
            configuration.credential = .tokenFile(folder + "/token")
            try write("a-secret\r\nImpersonate-User: admin", folder + "/token")
            let error = await #expect(throws: KubernetesError.self) {
                try await CredentialSource(configuration).current()
            }
            #expect(error?.code == .configuration && error?.message.contains("a-secret") == false)
        }
    }

    @Test("a token that is replaced in its file is used within a minute, and at once where the old one is refused")
    func tokenFile() async throws {
        try await withFolder { folder in
            let clock = Clock()
            var configuration = try strangerConfiguration()
            configuration.credential = .tokenFile(folder + "/token")
            try write(token(of: "reader"), folder + "/token")
            let client = client(configuration, clock)
            let key = ObjectKey("none", in: "default")
            #expect(try await client.find(.configMaps, key) == nil)
            try write(token(of: "nobody"), folder + "/token")
            #expect(try await client.find(.configMaps, key) == nil)
            clock.advance(by: .seconds(60))
            let error = await #expect(throws: KubernetesError.self) { try await client.get(.configMaps, key) }
            #expect(error?.code == .forbidden)
            try write("not-a-token-of-this-server", folder + "/token")
            clock.advance(by: .seconds(60))
            let refused = await #expect(throws: KubernetesError.self) { try await client.get(.configMaps, key) }
            #expect(refused?.code == .unauthorized)
            try write(token(of: "reader"), folder + "/token")
            #expect(try await client.find(.configMaps, key) == nil)
        }
    }

    @Test("an authority that is replaced in its file is trusted at once where the server's certificate was not")
    func authority() async throws {
        try await withFolder { folder in
            var configuration = try makeClient().configuration
            guard case .bytes(let bytes) = configuration.certificateAuthority else {
                Issue.record("the control plane's kubeconfig has its authority inline")
                return
            }
            try await makeCertificates(in: folder, users: [])
            configuration.certificateAuthority = .file(folder + "/ca.crt")
            let client = client(configuration, Clock())
            let error = await #expect(throws: KubernetesError.self) { try await client.serverVersion() }
            #expect(error?.code == .certificate)
            try write(String(decoding: bytes, as: UTF8.self), folder + "/ca.crt")
            #expect(try await client.serverVersion().minorNumber >= 20)
            // It does not go on over the old connection either.
            try await makeCertificates(in: folder, users: [])
            let another = self.client(configuration, Clock())
            let distrust = await #expect(throws: KubernetesError.self) { try await another.serverVersion() }
            #expect(distrust?.code == .certificate)
        }
    }

    @Test("a client certificate that changes, in its file or from a plugin, goes over connections of its own")
    func clientCertificate() async throws {
        try await withFolder { folder in
            try await makeCertificates(in: folder, users: ["alice", "bob"])
            try await withPrivateControlPlane(apiServerFlags: ["--client-ca-file=\(folder)/ca.crt"]) { controlPlane in
                var configuration = try makeClient(of: controlPlane).configuration
                configuration.credential = .none
                func user(_ client: KubernetesClient) async throws -> String {
                    do {
                        _ = try await client.get(.configMaps, ObjectKey("x", in: "default"))
                        return "who may"
                    } catch  where error.code == .forbidden {
                        return String(error.message.split(separator: "\"")[3])
                    }
                }
                func use(_ name: String) throws {
                    for kind in ["crt", "key"] {
                        try write(
                            String(contentsOfFile: "\(folder)/\(name).\(kind)", encoding: .utf8), "\(folder)/me.\(kind)"
                        )
                    }
                }
                let clock = Clock()
                configuration.clientCertificate = .init(
                    certificate: .file(folder + "/me.crt"), key: .file(folder + "/me.key"))
                try use("alice")
                let client = client(configuration, clock)
                #expect(try await user(client) == "alice")
                try use("bob")
                #expect(try await user(client) == "alice")
                clock.advance(by: .seconds(60))
                #expect(try await user(client) == "bob")

                configuration.clientCertificate = nil
                try await ScriptedPlugin.with { script in
                    func give(_ name: String) throws {
                        try script.give(
                            certificate: String(contentsOfFile: "\(folder)/\(name).crt", encoding: .utf8),
                            key: String(contentsOfFile: "\(folder)/\(name).key", encoding: .utf8), expires: Date() - 1)
                    }
                    configuration.credential = .plugin(script.plugin)
                    let client = self.client(configuration, Clock())
                    try give("alice")
                    #expect(try await user(client) == "alice")
                    try give("bob")
                    #expect(try await user(client) == "bob")
                }
            }
        }
    }

    /// An authority, `ca.crt`, and certificates and keys of users that it signed.
    private func makeCertificates(in folder: String, users: [String]) async throws {
        try await Program.output(
            "openssl",
            ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=test-\(uniqueName("ca"))"]
                + ["-keyout", "\(folder)/ca.key", "-out", "\(folder)/ca.crt"])
        for user in users {
            try await Program.output(
                "openssl",
                ["req", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=\(user)"]
                    + ["-keyout", "\(folder)/\(user).key", "-out", "\(folder)/\(user).csr"])
            try await Program.output(
                "openssl",
                [
                    "x509", "-req", "-in", "\(folder)/\(user).csr", "-CA", "\(folder)/ca.crt", "-CAkey",
                    "\(folder)/ca.key",
                ]
                    + ["-CAcreateserial", "-days", "2", "-out", "\(folder)/\(user).crt"])
        }
    }
}
