internal import HTTPClient

/// Where a cluster's API server is, how to know it, and how it knows us.
///
/// Its description names no secret.
public struct ClusterConfiguration: Sendable, CustomStringConvertible, CustomReflectable {
    /// The server's address, such as `https://10.0.0.1:6443`, without a slash at the end.
    public var server: String
    /// The certificates, in PEM, that may have signed the server's; nil means those of the system.
    public var certificateAuthority: [UInt8]?
    /// The name in the server's certificate, where it is not the one in the address.
    public var tlsServerName: String?
    /// True only where the configuration asked to trust whoever answers.
    public var skipsVerification = false
    public var clientCertificate: ClientCertificate?
    public var credential: Credential = .none
    /// The namespace for objects that name none.
    public var namespace = "default"

    /// How requests say who asks.
    public enum Credential: Sendable, CustomStringConvertible, CustomReflectable {
        case none
        case token(String)
        /// A file that holds a token, and may get a new one at any time.
        case tokenFile(String)
        case basic(user: String, password: String)

        public var description: String {
            switch self {
            case .none: "no credential"
            case .token: "a token"
            case .tokenFile(let path): "the token in \(path)"
            case .basic(let user, _): "user \(user) with a password"
            }
        }

        public var customMirror: Mirror { Mirror(self, children: ["description": description]) }
    }

    /// A certificate and its key, in PEM.
    public struct ClientCertificate: Sendable {
        public var certificate: [UInt8]
        public var key: [UInt8]

        public init(certificate: [UInt8], key: [UInt8]) {
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
        return "\(server) with \(who), namespace \(namespace)"
    }

    public var customMirror: Mirror { Mirror(self, children: ["description": description]) }

    /// Whom requests to the server trust, and how they show who asks.
    var tls: TLSSettings {
        TLSSettings(
            certificateAuthority: certificateAuthority,
            serverName: tlsServerName,
            skipsVerification: skipsVerification,
            identity: clientCertificate.map { ($0.certificate, $0.key) }
        )
    }
}
