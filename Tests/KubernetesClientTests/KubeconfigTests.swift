import Foundation
import Testing

@testable import KubernetesClient

@Suite("Kubeconfig files")
struct KubeconfigTests {
    private let home = Kubeconfig.File(
        path: "/home/me/.kube/config",
        text: """
            apiVersion: v1
            kind: Config
            current-context: home
            clusters:
            - name: one
              cluster: {server: "https://one:6443/", certificate-authority: ca.crt, tls-server-name: kubernetes}
            - name: two
              cluster: {server: https://two, insecure-skip-tls-verify: true}
            users:
            - name: me
              user: {client-certificate: pki/me.crt, client-key: /keys/me.key}
            - name: robot
              user: {token: secret-token, tokenFile: token}
            - name: plugin
              user: {exec: {command: aws}}
            contexts:
            - name: home
              context: {cluster: one, user: me, namespace: shop}
            - name: robot
              context: {cluster: two, user: robot}
            - name: plugin
              context: {cluster: two, user: plugin}
            - name: broken
              context: {cluster: three, user: me}
            """)

    private func read(_ path: String) throws(KubernetesError) -> [UInt8] { Array("bytes of \(path)".utf8) }

    private func load(_ files: [Kubeconfig.File], _ context: String? = nil) throws -> ClusterConfiguration {
        try Kubeconfig(merging: files).configuration(context: context, reading: read)
    }

    @Test("the current context, with paths relative to the file they stand in")
    func currentContext() throws {
        let found = try load([home])
        #expect(found.server == "https://one:6443")
        #expect(found.namespace == "shop")
        #expect(found.tlsServerName == "kubernetes")
        #expect(found.certificateAuthority == Array("bytes of /home/me/.kube/ca.crt".utf8))
        #expect(found.clientCertificate?.certificate == Array("bytes of /home/me/.kube/pki/me.crt".utf8))
        #expect(found.clientCertificate?.key == Array("bytes of /keys/me.key".utf8))
    }

    @Test("the first file wins for each entry, without merging inside it, and for the current context")
    func merging() throws {
        let first = Kubeconfig.File(
            path: "/first/config",
            text: """
                current-context: robot
                clusters:
                - {name: two, cluster: {server: "https://override"}}
                """)
        let found = try load([first, home])
        #expect(found.server == "https://override")
        #expect(!found.skipsVerification)
        #expect(try load([home, first]).server == "https://one:6443")
        #expect(try load([home, first], "robot").server == "https://two")
    }

    @Test("a token file goes before a token, and neither is in the description")
    func token() throws {
        let found = try load([home], "robot")
        guard case .tokenFile(let path) = found.credential else {
            Issue.record("it must be the file")
            return
        }
        #expect(path == "/home/me/.kube/token")
        #expect(found.skipsVerification)
        var secret = found
        secret.credential = .token("secret-token")
        var text = "\(secret) \(String(reflecting: secret))"
        dump(secret, to: &text)
        #expect(!text.contains("secret-token"))
    }

    @Test(
        "what is wrong is said",
        arguments: [
            ("plugin", "exec"), ("broken", "three"), ("nowhere", "has no context nowhere"),
        ])
    func errors(context: String, part: String) throws {
        let error = #expect(throws: KubernetesError.self) { try load([home], context) }
        #expect(error?.code == .configuration)
        #expect(error?.message.contains(part) == true)
    }

    @Test("inline data goes before a file, and must be base64")
    func inlineData() throws {
        func file(_ data: String) -> Kubeconfig.File {
            Kubeconfig.File(
                path: "/c",
                text: """
                    current-context: c
                    contexts: [{name: c, context: {cluster: c}}]
                    clusters:
                    - name: c
                      cluster: {server: "https://c", certificate-authority: x, certificate-authority-data: "\(data)"}
                    """)
        }
        let encoded = Data("inline".utf8).base64EncodedString()
        #expect(try load([file(encoded)]).certificateAuthority == Array("inline".utf8))
        #expect(throws: KubernetesError.self) { try load([file("%%%")]) }
    }

    @Test("in a cluster, an IPv6 address gets brackets, and a missing CA is an error")
    func inCluster() throws {
        let folder = NSTemporaryDirectory() + "/sluice-account-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let environment = ["KUBERNETES_SERVICE_HOST": "fd00::1", "KUBERNETES_SERVICE_PORT": "443"]
        try "token".write(toFile: folder + "/token", atomically: true, encoding: .utf8)
        #expect(throws: KubernetesError.self) {
            try InCluster.configuration(environment: environment, folder: folder)
        }
        try "ca".write(toFile: folder + "/ca.crt", atomically: true, encoding: .utf8)
        try "shop\n".write(toFile: folder + "/namespace", atomically: true, encoding: .utf8)
        let found = try InCluster.configuration(environment: environment, folder: folder)
        #expect(found.server == "https://[fd00::1]:443")
        #expect(found.namespace == "shop")
        #expect(!InCluster.isOffered(by: ["KUBERNETES_SERVICE_HOST": "10.0.0.1"]))
    }
}
