internal import Foundation
internal import YAML

/// The contents of kubeconfig files, merged: <https://kubernetes.io/docs/concepts/configuration/organize-cluster-access-kubeconfig/>.
///
/// The first file wins, for each named entry and for the current context; entries are not merged inside. Paths are
/// relative to the file that they stand in.
public struct Kubeconfig: Sendable {
    /// One file, read.
    public struct File: Sendable {
        public var path: String
        public var text: String

        public init(path: String, text: String) {
            self.path = path
            self.text = text
        }
    }

    /// An entry with the folder that its paths are relative to.
    struct Entry<Value: Sendable>: Sendable {
        var value: Value
        var folder: String
    }

    var currentContext: String?
    var clusters: [String: Entry<ClusterEntry>] = [:]
    var users: [String: Entry<UserEntry>] = [:]
    var contexts: [String: ContextEntry] = [:]

    public init(merging files: [File]) throws(KubernetesError) {
        for file in files {
            let document: Document
            do {
                let values = try YAML.documents(in: file.text)
                guard let value = values.first else { continue }
                document = try YAMLDecoder().decode(Document.self, from: value)
            } catch {
                throw KubernetesError(.configuration, "\(file.path): \(error)")
            }
            let folder = (file.path as NSString).deletingLastPathComponent
            if currentContext == nil, let context = document.currentContext, !context.isEmpty {
                currentContext = context
            }
            for entry in document.clusters ?? [] where clusters[entry.name] == nil {
                clusters[entry.name] = Entry(value: entry.cluster, folder: folder)
            }
            for entry in document.users ?? [] where users[entry.name] == nil {
                users[entry.name] = Entry(value: entry.user ?? UserEntry(), folder: folder)
            }
            for entry in document.contexts ?? [] where contexts[entry.name] == nil {
                contexts[entry.name] = entry.context
            }
        }
    }

    /// The configuration of `context`, or of the current one.
    ///
    /// - Parameter reading: gives the bytes of a file that an entry names.
    public func configuration(
        context name: String? = nil, reading read: (String) throws(KubernetesError) -> [UInt8]
    ) throws(KubernetesError) -> ClusterConfiguration {
        guard let name = name ?? currentContext else {
            throw KubernetesError(.configuration, "the kubeconfig has no current-context: name one with --context")
        }
        guard let context = contexts[name] else {
            let known = contexts.keys.sorted().joined(separator: ", ")
            throw KubernetesError(.configuration, "the kubeconfig has no context \(name); it has: \(known)")
        }
        guard let cluster = clusters[context.cluster] else {
            throw KubernetesError(
                .configuration, "context \(name) names the cluster \(context.cluster), which the kubeconfig has not")
        }
        var configuration = try cluster.configuration(named: context.cluster, reading: read)
        if let namespace = context.namespace, !namespace.isEmpty { configuration.namespace = namespace }
        if let user = context.user, !user.isEmpty {
            guard let entry = users[user] else {
                throw KubernetesError(
                    .configuration, "context \(name) names the user \(user), which the kubeconfig has not")
            }
            try entry.identify(&configuration, named: user, of: cluster.value, reading: read)
        }
        return configuration
    }
}

extension Kubeconfig.Entry {
    fileprivate func resolve(_ path: String) -> String {
        path.hasPrefix("/") || folder.isEmpty ? path : "\(folder)/\(path)"
    }

    /// Inline data, else the file, which must be there.
    fileprivate func pem(
        _ data: String?, _ path: String?, _ what: String, reading read: (String) throws(KubernetesError) -> [UInt8]
    ) throws(KubernetesError) -> PEM? {
        if let data, !data.isEmpty {
            guard let bytes = Data(base64Encoded: data, options: .ignoreUnknownCharacters), !bytes.isEmpty else {
                throw KubernetesError(.configuration, "\(what)-data is not base64")
            }
            return .bytes(Array(bytes))
        }
        guard let path, !path.isEmpty else { return nil }
        _ = try read(resolve(path))
        return .file(resolve(path))
    }
}

extension Kubeconfig.Entry<Kubeconfig.ClusterEntry> {
    fileprivate func configuration(
        named name: String, reading read: (String) throws(KubernetesError) -> [UInt8]
    ) throws(KubernetesError) -> ClusterConfiguration {
        guard let server = value.server, server.hasPrefix("https://") || server.hasPrefix("http://") else {
            throw KubernetesError(.configuration, "cluster \(name) has no server that begins with https://")
        }
        var configuration = ClusterConfiguration(server: server)
        if let proxy = value.proxyURL, !proxy.isEmpty {
            guard ["http://", "https://", "socks5://"].contains(where: proxy.hasPrefix) else {
                throw KubernetesError(
                    .configuration,
                    "cluster \(name) has a proxy-url that begins with none of http://, https://, socks5://")
            }
            configuration.proxy = proxy
        }
        configuration.skipsVerification = value.insecureSkipTLSVerify ?? false
        configuration.tlsServerName = value.tlsServerName.flatMap { $0.isEmpty ? nil : $0 }
        configuration.certificateAuthority = try pem(
            value.certificateAuthorityData, value.certificateAuthority, "cluster \(name): certificate-authority",
            reading: read)
        if configuration.skipsVerification, configuration.certificateAuthority != nil {
            throw KubernetesError(
                .configuration,
                "cluster \(name) has both a certificate-authority and insecure-skip-tls-verify: remove one of them")
        }
        return configuration
    }
}

extension Kubeconfig.ClusterEntry {
    /// What a credential plugin is told of the cluster (`Cluster` of `client.authentication.k8s.io`).
    fileprivate func information(_ authority: [UInt8]?) -> JSONValue {
        var cluster: JSONValue = [:]
        cluster["server"] = server.map { .string($0) }
        cluster["tls-server-name"] = tlsServerName.map { .string($0) }
        cluster["insecure-skip-tls-verify"] = insecureSkipTLSVerify.map { .bool($0) }
        cluster["certificate-authority-data"] = authority.map { .string(Data($0).base64EncodedString()) }
        cluster["proxy-url"] = proxyURL.map { .string($0) }
        cluster["config"] = extensions?.first { $0.name == Kubeconfig.NamedExtension.plugins }?.extension
        return cluster
    }
}

extension Kubeconfig.Entry<Kubeconfig.UserEntry> {
    fileprivate func identify(
        _ configuration: inout ClusterConfiguration, named name: String, of cluster: Kubeconfig.ClusterEntry,
        reading read: (String) throws(KubernetesError) -> [UInt8]
    ) throws(KubernetesError) {
        guard !value.hasAuthProvider else {
            throw KubernetesError(
                .configuration,
                "user \(name) uses an auth-provider, which Kubernetes has no more: name a credential plugin (exec)")
        }
        let certificate = try pem(
            value.clientCertificateData, value.clientCertificate, "user \(name): client-certificate", reading: read)
        let key = try pem(value.clientKeyData, value.clientKey, "user \(name): client-key", reading: read)
        switch (certificate, key) {
        case (let certificate?, let key?):
            configuration.clientCertificate = .init(certificate: certificate, key: key)
        case (nil, nil):
            break
        default:
            throw KubernetesError(
                .configuration, "user \(name) has only one of client-certificate and client-key: name both")
        }
        configuration.impersonation = try impersonation(name)
        if let file = value.tokenFile, !file.isEmpty {
            configuration.credential = .tokenFile(resolve(file))
        } else if let token = value.token, !token.isEmpty {
            configuration.credential = .token(token)
        } else if let user = value.username, !user.isEmpty {
            configuration.credential = .basic(user: user, password: value.password ?? "")
        } else if let exec = value.exec {
            var authority: [UInt8]?
            switch configuration.certificateAuthority {
            case .bytes(let bytes): authority = bytes
            case .file(let path): authority = try read(path)
            case nil: break
            }
            configuration.credential = .plugin(try plugin(exec, name, cluster.information(authority)))
        }
    }

    private func impersonation(_ name: String) throws(KubernetesError) -> Impersonation? {
        guard let user = value.user, !user.isEmpty else {
            guard value.uid == nil, value.groups == nil, value.extra == nil else {
                throw KubernetesError(
                    .configuration, "user \(name) has as-uid, as-groups or as-user-extra, but not as: name the user")
            }
            return nil
        }
        let impersonation = Impersonation(
            user: user, uid: value.uid, groups: value.groups ?? [], extra: value.extra ?? [:])
        guard impersonation.headers.allSatisfy({ $0.value.isHeaderValue }) else {
            throw KubernetesError(.configuration, "user \(name) acts as somebody with a line break in the name")
        }
        return impersonation
    }

    private func plugin(
        _ exec: Kubeconfig.ExecEntry, _ name: String, _ cluster: JSONValue
    ) throws(KubernetesError) -> CredentialPlugin {
        func wrong(_ what: String) -> KubernetesError {
            KubernetesError(.configuration, "user \(name): the credential plugin (exec) \(what)")
        }
        guard let command = exec.command, !command.isEmpty else { throw wrong("has no command") }
        let group = "client.authentication.k8s.io"
        guard let version = exec.apiVersion, ["\(group)/v1", "\(group)/v1beta1"].contains(version) else {
            throw wrong("\(command) must have the apiVersion \(group)/v1 or \(group)/v1beta1")
        }
        switch exec.interactiveMode {
        case "Never", "IfAvailable":
            break
        case nil where version.hasSuffix("v1beta1"):
            break
        case "Always":
            throw wrong("\(command) asks for a terminal (interactiveMode: Always), which it cannot have here")
        default:
            throw wrong("\(command) must have the interactiveMode Never or IfAvailable")
        }
        return CredentialPlugin(
            apiVersion: version, command: command.contains("/") ? resolve(command) : command,
            arguments: exec.args ?? [],
            environment: Dictionary(
                (exec.env ?? []).map { ($0.name, $0.value ?? "") }, uniquingKeysWith: { _, last in last }),
            installHint: exec.installHint, cluster: exec.provideClusterInfo == true ? .some(cluster) : .none)
    }
}
