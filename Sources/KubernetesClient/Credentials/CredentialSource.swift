internal import Foundation
internal import HTTPClient

/// Gives requests their ``Credentials``, and newer ones when there are: files are read again after a minute, a plugin is
/// run again when what it gave is over, and both at once when the server refused what they said.
actor CredentialSource {
    /// How long what a file says is used without looking.
    static let lifetime: Duration = .seconds(60)

    private struct File {
        var bytes: [UInt8]
        var readAt: ContinuousClock.Instant
    }

    private let configuration: ClusterConfiguration
    private let now: @Sendable () -> ContinuousClock.Instant
    private let date: @Sendable () -> Date
    private var files: [String: File] = [:]
    private var exec: ExecCredential?
    private let run = SharedWork<ExecCredential>()

    /// - Parameters:
    ///   - now: what the age of a file's contents is measured by.
    ///   - date: what expiry is judged by.
    init(
        _ configuration: ClusterConfiguration, now: @escaping @Sendable () -> ContinuousClock.Instant = { .now },
        date: @escaping @Sendable () -> Date = { Date() }
    ) {
        self.configuration = configuration
        self.now = now
        self.date = date
    }

    /// What a request is sent with now.
    ///
    /// - Throws: `configuration` where a file is not there, `credentialPlugin` where a plugin gives nothing.
    func current() async throws(KubernetesError) -> Credentials {
        if case .plugin(let plugin) = configuration.credential {
            if let exec, exec.isValid(at: date()) { return try credentials(exec) }
            return try credentials(await ask(plugin))
        }
        return try credentials(nil)
    }

    /// Looks for other credentials than those with which a request failed; nil where there are none.
    ///
    /// - Parameter isRefused: whether the server did not know us (401). Else its certificate was not accepted, or ours: no
    ///   plugin is asked about that.
    func renewed(after failed: Credentials, isRefused: Bool) async throws(KubernetesError) -> Credentials? {
        for path in files.keys { files[path]?.readAt -= Self.lifetime }
        let present = try credentials(exec)
        // Another request may have met the same and been faster.
        if present != failed { return present }
        guard isRefused, case .plugin(let plugin) = configuration.credential else { return nil }
        let renewed = try credentials(await ask(plugin))
        return renewed == failed ? nil : renewed
    }

    /// Runs the plugin, once for all who ask meanwhile.
    private func ask(_ plugin: CredentialPlugin) async throws(KubernetesError) -> ExecCredential {
        let given = try await run.value {
            do throws(KubernetesError) {
                return .success(try await plugin.run())
            } catch {
                return .failure(error)
            }
        }
        exec = given
        return given
    }

    private func credentials(_ exec: ExecCredential?) throws(KubernetesError) -> Credentials {
        var tls = TLSSettings(
            serverName: configuration.tlsServerName, skipsVerification: configuration.skipsVerification)
        if let authority = configuration.certificateAuthority { tls.certificateAuthority = try bytes(of: authority) }
        if let client = configuration.clientCertificate {
            tls.identity = .init(certificate: try bytes(of: client.certificate), key: try bytes(of: client.key))
        }
        if let identity = exec?.identity { tls.identity = identity }
        return Credentials(authorization: try authorization(exec), tls: tls)
    }

    private func authorization(_ exec: ExecCredential?) throws(KubernetesError) -> String? {
        switch configuration.credential {
        case .none:
            return nil
        case .token(let token):
            return "Bearer \(token)"
        case .basic(let user, let password):
            return "Basic \(Data("\(user):\(password)".utf8).base64EncodedString())"
        case .plugin:
            return exec?.token.map { "Bearer \($0)" }
        case .tokenFile(let path):
            let token = String(decoding: try bytes(at: path, "the token file"), as: UTF8.self).trimmed
            guard token.isHeaderValue else {
                throw KubernetesError(.configuration, "the token file \(path) holds more than one line")
            }
            return "Bearer \(token)"
        }
    }

    private func bytes(of pem: PEM) throws(KubernetesError) -> [UInt8] {
        switch pem {
        case .bytes(let bytes): bytes
        case .file(let path): try bytes(at: path, "the file")
        }
    }

    /// A file that is empty or cannot be read any more leaves its last contents in use: it may be in the middle of its
    /// replacement.
    private func bytes(at path: String, _ what: String) throws(KubernetesError) -> [UInt8] {
        let now = now()
        let last = files[path]
        if let last, now - last.readAt < Self.lifetime { return last.bytes }
        if let bytes = try? ClusterConfiguration.readFile(path), !bytes.allSatisfy({ $0 <= 32 }) {
            files[path] = File(bytes: bytes, readAt: now)
            return bytes
        }
        if let last { return last.bytes }
        throw KubernetesError(.configuration, "\(what) \(path) is empty or cannot be read")
    }
}
