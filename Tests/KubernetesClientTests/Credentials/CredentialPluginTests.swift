import Foundation
import TestSupport
import Testing

@testable import KubernetesClient

@Suite("Credential plugins on a real API server")
struct CredentialPluginTests {
    private func client(_ plugin: CredentialPlugin) throws -> KubernetesClient {
        var configuration = try strangerConfiguration()
        configuration.credential = .plugin(plugin)
        return KubernetesClient(configuration)
    }

    /// Who the server takes us for, from what it says of something that `nobody` may do.
    private func ask(_ client: KubernetesClient) async throws {
        _ = try await client.find(.namespaces, ObjectKey("default"))
    }

    private func failure(_ client: KubernetesClient) async throws -> KubernetesError {
        try #require(await #expect(throws: KubernetesError.self) { try await ask(client) })
    }

    @Test("requests that come together share one run, and later ones what it gave")
    func sharedRun() async throws {
        try await ScriptedPlugin.with("sleep 0.2") { script in
            try script.give(token: token(of: "reader"), expires: Date() + 3600)
            let client = try client(script.plugin)
            try await withThrowingTaskGroup { group in
                for _ in 0..<20 { group.addTask { try await ask(client) } }
                try await group.waitForAll()
            }
            try await ask(client)
            try await ask(client.withOwnConnection(timeout: .seconds(10)))
            #expect(script.runs == 1)
        }
    }

    @Test("what is over is asked for again")
    func expiry() async throws {
        try await ScriptedPlugin.with { script in
            try script.give(token: token(of: "reader"), expires: Date() - 1)
            let client = try client(script.plugin)
            for _ in 1...3 { try await ask(client) }
            #expect(script.runs == 3)
        }
    }

    @Test("a credential that the server refuses is asked for again, once for a request and once for all at a time")
    func refused() async throws {
        try await ScriptedPlugin.with("sleep 0.2") { script in
            try script.give(token: "not-a-token-of-this-server")
            let client = try client(script.plugin)
            #expect(try await failure(client).code == .unauthorized)
            // At first because there was none, and then because of the answer.
            #expect(script.runs == 2)
            #expect(try await failure(client).code == .unauthorized)
            #expect(script.runs == 3)
            try script.give(token: token(of: "reader"))
            try await withThrowingTaskGroup { group in
                for _ in 0..<20 { group.addTask { try await ask(client) } }
                try await group.waitForAll()
            }
            #expect(script.runs == 4)
            // A watch asks again as well.
            try script.give(token: "not-a-token-of-this-server")
            let another = try self.client(script.plugin)
            #expect(try await failure(another).code == .unauthorized)
            try script.give(token: token(of: "reader"))
            _ = try await another.watch(
                DynamicObject.self, .namespaces, WatchOptions(resourceVersion: "0", timeout: .seconds(1)))
        }
    }

    @Test("a server whose certificate is not accepted is no question for the plugin")
    func distrust() async throws {
        try await ScriptedPlugin.with { script in
            try script.give(token: token(of: "reader"))
            var configuration = try strangerConfiguration()
            configuration.certificateAuthority = nil
            configuration.credential = .plugin(script.plugin)
            let client = KubernetesClient(configuration)
            #expect(try await failure(client).code == .certificate)
            #expect(script.runs == 1)
        }
    }

    @Test("a plugin of a kubeconfig is found beside it, and is told its arguments, its environment and the cluster")
    func kubeconfig() async throws {
        let script = """
            printf '%s' "$KUBERNETES_EXEC_INFO" >"$FOLDER/information"
            echo "$*|$PLACE|$PATH" >"$FOLDER/told"
            """
        try await ScriptedPlugin.with(script) { script in
            try script.give(token: token(of: "reader"))
            var configuration = try strangerConfiguration()
            let kubeconfig = script.folder + "/config"
            guard case .bytes(let authority) = configuration.certificateAuthority else {
                Issue.record("the control plane's kubeconfig has its authority inline")
                return
            }
            let encoded = Data(authority).base64EncodedString()
            try """
            current-context: a
            contexts: [{name: a, context: {cluster: a, user: a}}]
            clusters:
            - name: a
              cluster:
                server: \(configuration.server)
                certificate-authority-data: \(encoded)
                extensions:
                - {name: client.authentication.k8s.io/exec, extension: {audience: this}}
            users:
            - name: a
              user:
                exec:
                  apiVersion: client.authentication.k8s.io/v1
                  command: ./plugin
                  args: [get, "a b"]
                  env: [{name: PLACE, value: here}]
                  interactiveMode: IfAvailable
                  provideClusterInfo: true
            """.write(toFile: kubeconfig, atomically: true, encoding: .utf8)
            configuration = try ClusterConfiguration.load(kubeconfig: kubeconfig, environment: [:])
            try await ask(KubernetesClient(configuration))
            let path = ProcessInfo.processInfo.environment["PATH"] ?? ""
            #expect(try script.read("told") == "get a b|here|\(path)\n")
            #expect(
                try JSONValue(parsing: script.read("information")) == [
                    "apiVersion": "client.authentication.k8s.io/v1", "kind": "ExecCredential",
                    "spec": [
                        "interactive": false,
                        "cluster": [
                            "server": .string(configuration.server), "certificate-authority-data": .string(encoded),
                            "config": ["audience": "this"],
                        ],
                    ],
                ])
        }
    }

    // MARK: What goes wrong

    @Test(
        "a plugin that is not there is named, with the hint on how to get it",
        arguments: ["no-such-plugin", "/no/such"])
    func missing(command: String) async throws {
        var plugin = try ScriptedPlugin().plugin
        plugin.command = command
        let error = try await failure(client(plugin))
        #expect(error.code == .credentialPlugin)
        #expect(
            error.message == "the credential plugin \(command) was not found; ask the administrator for it", "\(error)")
    }

    @Test("a plugin that fails is named, with its exit code and the beginning of what it said, but not what it printed")
    func fails() async throws {
        let script = """
            cat "$FOLDER/credential"
            echo "no network: $(printf '%5000s' | tr ' ' x)" >&2
            exit 7
            """
        try await ScriptedPlugin.with(script) { script in
            try script.give(token: "a-secret")
            let error = try await failure(client(script.plugin))
            #expect(error.code == .credentialPlugin)
            let beginning = "the credential plugin \(script.folder)/plugin ended with exit code 7: no network: xxx"
            #expect(error.message.hasPrefix(beginning), "\(error)")
            #expect(error.message.hasSuffix("xxx; ask the administrator for it"))
            #expect((500..<800).contains(error.message.utf8.count))
            #expect(!error.message.contains("a-secret"))
        }
    }

    @Test(
        "what it prints instead of a credential is an error, and is not repeated",
        arguments: [
            ("a-secret", "not an ExecCredential in JSON"),
            (#"{"token": "a-secret"}"#, "something else than an ExecCredential"),
            (
                #"{"apiVersion":"client.authentication.k8s.io/v1beta1","kind":"ExecCredential","status":{"token":"a-secret"}}"#,
                "something else than an ExecCredential of client.authentication.k8s.io/v1"
            ),
            (#"{"apiVersion":"client.authentication.k8s.io/v1","kind":"ExecCredential"}"#, "without a status"),
            (
                #"{"apiVersion":"client.authentication.k8s.io/v1","kind":"ExecCredential","status":{}}"#,
                "neither a token nor a client certificate"
            ),
            (
                #"{"apiVersion":"client.authentication.k8s.io/v1","kind":"ExecCredential","status":{"clientKeyData":"a-secret"}}"#,
                "only one of clientCertificateData and clientKeyData"
            ),
            (
                #"{"apiVersion":"client.authentication.k8s.io/v1","kind":"ExecCredential","status":{"token":"a-secret\r\nX: y"}}"#,
                "a line break"
            ),
            (
                #"{"apiVersion":"client.authentication.k8s.io/v1","kind":"ExecCredential","status":{"token":"a-secret","expirationTimestamp":"soon"}}"#,
                "not an ExecCredential in JSON"
            ),
        ])
    func rubbish(output: String, part: String) async throws {
        try await ScriptedPlugin.with { script in
            try script.give(text: output)
            let error = try await failure(client(script.plugin))
            #expect(error.code == .credentialPlugin && error.message.contains(part), "\(error)")
            #expect(!error.message.contains("a-secret"))
        }
    }

    @Test("a plugin that hangs is killed with all that it started, though it does not want to stop")
    func hangs() async throws {
        let script = """
            trap '' TERM
            sleep 1000 &
            echo $! >"$FOLDER/child"
            echo $$ >"$FOLDER/itself"
            wait
            while :; do sleep 1; done
            """
        try await ScriptedPlugin.with(script) { script in
            var plugin = script.plugin
            plugin.timeout = .milliseconds(500)
            let error = try await failure(client(plugin))
            #expect(error.code == .credentialPlugin)
            #expect(error.message.contains("did not end within 0.5 seconds and was killed"), "\(error)")
            for name in ["itself", "child"] {
                let process = try #require(Int32(try script.read(name).trimmed))
                try await eventually("the end of \(name)") { kill(process, 0) == -1 }
            }
        }
    }

    @Test("a request that is cancelled does not wait for the plugin, and takes it away from nobody else")
    func cancelled() async throws {
        let script = """
            echo $$ >"$FOLDER/itself"
            until [ -e "$FOLDER/go" ]; do sleep 0.02; done
            """
        try await ScriptedPlugin.with(script) { script in
            try script.give(token: token(of: "reader"))
            let client = try client(script.plugin)
            let first = Task { try await ask(client) }
            let second = Task { try await ask(client) }
            try await eventually("it runs") { script.runs == 1 }
            first.cancel()
            let error = await #expect(throws: KubernetesError.self) { try await first.value }
            #expect(error?.code == .cancelled)
            try script.give(token: token(of: "reader"))
            try "".write(toFile: script.folder + "/go", atomically: true, encoding: .utf8)
            try await second.value
            #expect(script.runs == 1)
        }
        // With the last request that waits, it ends.
        try await ScriptedPlugin.with(script) { script in
            let client = try client(script.plugin)
            let only = Task { try await ask(client) }
            let process = try await eventually("it runs") { Int32(try script.read("itself").trimmed) }
            only.cancel()
            await #expect(throws: KubernetesError.self) { try await only.value }
            try await eventually("its end") { kill(process, 0) == -1 }
        }
    }
}
