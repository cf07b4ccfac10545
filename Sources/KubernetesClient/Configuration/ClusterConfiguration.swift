/// Where a cluster's API server is, how to know it, and how it knows us.
///
/// Its description names no secret.
public struct ClusterConfiguration: Sendable, CustomStringConvertible, CustomReflectable {
    /// The server's address, such as `https://10.0.0.1:6443`, without a slash at the end.
    public var server: String
    /// The certificates that may have signed the server's; nil means those of the system.
    public var certificateAuthority: PEM?
    /// The name in the server's certificate, where it is not the one in the address.
    public var tlsServerName: String?
    /// True only where the configuration asked to trust whoever answers.
    public var skipsVerification = false
    public var clientCertificate: ClientCertificate?
    public var credential: Credential = .none
    /// As whom requests are made, if not as ourselves.
    public var impersonation: Impersonation?
    /// The proxy on the way to the server: `http`, `https` or `socks5`. Nil: what the environment says (`HTTPS_PROXY`,
    /// `NO_PROXY`).
    public var proxy: String?
    /// The namespace for objects that name none.
    public var namespace = "default"

    /// How requests say who asks.
    public enum Credential: Sendable, CustomStringConvertible, CustomReflectable {
        case none
        case token(String)
        /// A file that holds a token, and may get a new one at any time.
        case tokenFile(String)
        case basic(user: String, password: String)
        /// What a program gives: a token, a client certificate, or both.
        case plugin(CredentialPlugin)

        public var description: String {
            switch self {
            case .none: "no credential"
            case .token: "a token"
            case .tokenFile(let path): "the token in \(path)"
            case .basic(let user, _): "user \(user) with a password"
            case .plugin(let plugin): plugin.description
            }
        }

        public var customMirror: Mirror { Mirror(self, children: ["description": description]) }
    }

    /// A certificate and its key.
    public struct ClientCertificate: Sendable, Hashable {
        public var certificate: PEM
        public var key: PEM

        public init(certificate: PEM, key: PEM) {
            self.certificate = certificate
            self.key = key
        }
    }

    public init(server: String) {
        self.server = server.hasSuffix("/") ? String(server.dropLast()) : server
    }

    public var description: String {
        var who = credential.description
        if case .none = credential, clientCertificate != nil { who = "a client certificate" }
        if let impersonation { who += " as \(impersonation.user)" }
        return "\(server) with \(who), namespace \(namespace)"
    }

    public var customMirror: Mirror { Mirror(self, children: ["description": description]) }
}
