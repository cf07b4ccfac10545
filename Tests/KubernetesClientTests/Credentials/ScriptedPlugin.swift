import Foundation
import TestSupport

@testable import KubernetesClient

/// A shell script as a credential plugin, in a folder of its own. What it gives is in a file that a test replaces.
struct ScriptedPlugin {
    let folder: String

    /// - Parameter script: what it does before, or instead of, printing the credential. It may read `$FOLDER`.
    init(_ script: String = "") throws {
        folder = NSTemporaryDirectory() + "/" + uniqueName("plugin")
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        let text = """
            #!/bin/sh
            FOLDER=$(dirname "$0")
            echo run >>"$FOLDER/runs"
            \(script)
            cat "$FOLDER/credential"
            """
        try text.write(toFile: folder + "/plugin", atomically: true, encoding: .utf8)
        try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: folder + "/plugin")
    }

    /// Runs `body`, and removes the folder.
    static func with<Value>(
        _ script: String = "", _ body: (ScriptedPlugin) async throws -> Value
    ) async throws -> Value {
        let plugin = try ScriptedPlugin(script)
        defer { try? FileManager.default.removeItem(atPath: plugin.folder) }
        return try await body(plugin)
    }

    /// How often it ran.
    var runs: Int { (try? read("runs"))?.split(separator: "\n").count ?? 0 }

    var plugin: CredentialPlugin {
        CredentialPlugin(
            apiVersion: "client.authentication.k8s.io/v1", command: folder + "/plugin",
            installHint: "ask the administrator for it\n")
    }

    /// From its next run on it gives that.
    func give(
        token: String? = nil, certificate: String? = nil, key: String? = nil, expires: Date? = nil
    ) throws {
        var status: JSONValue = [:]
        status["token"] = token.map { .string($0) }
        status["clientCertificateData"] = certificate.map { .string($0) }
        status["clientKeyData"] = key.map { .string($0) }
        status["expirationTimestamp"] = expires.map { .string(Timestamp($0).description) }
        let credential: JSONValue = [
            "apiVersion": .string(plugin.apiVersion), "kind": "ExecCredential", "status": status,
        ]
        try give(text: credential.text)
    }

    func give(text: String) throws {
        try text.write(toFile: folder + "/credential", atomically: true, encoding: .utf8)
    }

    func read(_ name: String) throws -> String {
        try String(contentsOfFile: folder + "/" + name, encoding: .utf8)
    }
}

/// The token of `admin`, `reader` or `nobody` of the shared control plane.
func token(of user: String) throws -> String {
    let folder = (try TestServers.kubeconfig as NSString).deletingLastPathComponent
    return try String(contentsOfFile: "\(folder)/token-\(user)", encoding: .utf8).trimmed
}

/// The shared control plane, with nothing that says who asks.
func strangerConfiguration() throws -> ClusterConfiguration {
    var configuration = try makeClient().configuration
    configuration.clientCertificate = nil
    configuration.credential = .none
    return configuration
}
