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
            - name: old
              user: {auth-provider: {name: gcp}}
            contexts:
            - name: home
              context: {cluster: one, user: me, namespace: shop}
            - name: robot
              context: {cluster: two, user: robot}
            - name: old
              context: {cluster: two, user: old}
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
        #expect(found.certificateAuthority == .file("/home/me/.kube/ca.crt"))
        #expect(found.clientCertificate?.certificate == .file("/home/me/.kube/pki/me.crt"))
        #expect(found.clientCertificate?.key == .file("/keys/me.key"))
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
            ("old", "auth-provider"), ("broken", "three"), ("nowhere", "has no context nowhere"),
        ])
    func errors(context: String, part: String) throws {
        let error = #expect(throws: KubernetesError.self) { try load([home], context) }
        #expect(error?.code == .configuration)
        #expect(error?.message.contains(part) == true)
    }

    private func load(cluster: String = "", user: String) throws -> ClusterConfiguration {
        let file = Kubeconfig.File(
            path: "/home/me/.kube/config",
            text: """
                current-context: a
                contexts: [{name: a, context: {cluster: a, user: a}}]
                clusters: [{name: a, cluster: {server: "https://a", \(cluster)}}]
                users: [{name: a, user: {\(user)}}]
                """)
        return try load([file])
    }

    @Test(
        "a credential plugin is found in PATH by its name, and beside the file by a path",
        arguments: [
            ("aws", "aws"), ("./aws", "/home/me/.kube/./aws"), ("bin/aws", "/home/me/.kube/bin/aws"),
            ("/bin/aws", "/bin/aws"),
        ])
    func plugin(command: String, path: String) throws {
        let user = """
            exec: {apiVersion: client.authentication.k8s.io/v1beta1, command: \(command), args: [token, a], \
            env: [{name: A, value: b}, {name: C}], installHint: get it, provideClusterInfo: false}
            """
        guard case .plugin(let plugin) = try load(user: user).credential else {
            Issue.record("it must be a plugin")
            return
        }
        #expect(
            plugin
                == CredentialPlugin(
                    apiVersion: "client.authentication.k8s.io/v1beta1", command: path, arguments: ["token", "a"],
                    environment: ["A": "b", "C": ""], installHint: "get it"))
        #expect(plugin.timeout == .seconds(60))
        #expect(
            plugin.information == [
                "apiVersion": "client.authentication.k8s.io/v1beta1", "kind": "ExecCredential",
                "spec": ["interactive": false],
            ])
        var text = "\(plugin)"
        dump(plugin, to: &text)
        #expect(!text.contains("token"))
    }

    @Test(
        "what a user may not ask for is said",
        arguments: [
            ("exec: {apiVersion: client.authentication.k8s.io/v1, interactiveMode: Never}", "has no command"),
            ("exec: {apiVersion: client.authentication.k8s.io/v1alpha1, command: aws}", "v1 or"),
            ("exec: {command: aws}", "must have the apiVersion"),
            ("exec: {apiVersion: client.authentication.k8s.io/v1, command: aws}", "must have the interactiveMode"),
            (
                "exec: {apiVersion: client.authentication.k8s.io/v1, command: aws, interactiveMode: Always}",
                "aws asks for a terminal"
            ),
            ("as-groups: [admins]", "name the user"), (#"as: "a\r\nX: b""#, "line break"),
        ])
    func refusedUsers(user: String, part: String) throws {
        let error = #expect(throws: KubernetesError.self) { try load(user: user) }
        #expect(error?.code == .configuration)
        #expect(error?.message.contains(part) == true, "\(String(describing: error))")
    }

    @Test("as whom to act")
    func impersonation() throws {
        let user = "token: t, as: joe, as-uid: u, as-groups: [a, b], as-user-extra: {Reason/x: [c, d]}"
        let found = try load(user: user).impersonation
        #expect(found == .init(user: "joe", uid: "u", groups: ["a", "b"], extra: ["Reason/x": ["c", "d"]]))
        #expect(
            found?.headers.map { "\($0.name): \($0.value)" } == [
                "Impersonate-User: joe", "Impersonate-Uid: u", "Impersonate-Group: a", "Impersonate-Group: b",
                "Impersonate-Extra-Reason%2Fx: c", "Impersonate-Extra-Reason%2Fx: d",
            ])
    }

    @Test("a proxy has one of three schemes")
    func proxy() throws {
        for proxy in ["http://p:1", "https://p:1", "socks5://p:1"] {
            #expect(try load(cluster: "proxy-url: \"\(proxy)\"", user: "token: t").proxy == proxy)
        }
        #expect(try load(user: "token: t").proxy == nil)
        let error = #expect(throws: KubernetesError.self) { try load(cluster: "proxy-url: \"p:1\"", user: "token: t") }
        #expect(error?.message.contains("proxy-url") == true)
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
        #expect(try load([file(encoded)]).certificateAuthority == .bytes(Array("inline".utf8)))
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
