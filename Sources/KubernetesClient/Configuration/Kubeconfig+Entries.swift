extension Kubeconfig {
    struct Document: Decodable {
        var currentContext: String?
        var clusters: [NamedCluster]?
        var users: [NamedUser]?
        var contexts: [NamedContext]?

        enum CodingKeys: String, CodingKey {
            case currentContext = "current-context"
            case clusters, users, contexts
        }
    }

    struct NamedCluster: Decodable {
        var name: String
        var cluster: ClusterEntry
    }

    struct NamedUser: Decodable {
        var name: String
        var user: UserEntry?
    }

    struct NamedContext: Decodable {
        var name: String
        var context: ContextEntry
    }

    struct ContextEntry: Decodable, Sendable {
        var cluster: String
        var user: String?
        var namespace: String?
    }

    struct ClusterEntry: Decodable, Sendable {
        var server: String?
        var certificateAuthority: String?
        var certificateAuthorityData: String?
        var insecureSkipTLSVerify: Bool?
        var tlsServerName: String?
        var proxyURL: String?
        var extensions: [NamedExtension]?

        enum CodingKeys: String, CodingKey {
            case server, extensions
            case certificateAuthority = "certificate-authority"
            case certificateAuthorityData = "certificate-authority-data"
            case insecureSkipTLSVerify = "insecure-skip-tls-verify"
            case tlsServerName = "tls-server-name"
            case proxyURL = "proxy-url"
        }
    }

    /// What other programs keep in a kubeconfig; credential plugins find theirs under a name of their own.
    struct NamedExtension: Decodable, Sendable {
        static let plugins = "client.authentication.k8s.io/exec"

        var name: String
        var `extension`: JSONValue?
    }

    /// A program that gives a credential.
    struct ExecEntry: Decodable, Sendable {
        struct Variable: Decodable, Sendable {
            var name: String
            var value: String?
        }

        var apiVersion: String?
        var command: String?
        var args: [String]?
        var env: [Variable]?
        var installHint: String?
        var provideClusterInfo: Bool?
        var interactiveMode: String?
    }

    struct UserEntry: Decodable, Sendable {
        var clientCertificate: String?
        var clientCertificateData: String?
        var clientKey: String?
        var clientKeyData: String?
        var token: String?
        var tokenFile: String?
        var username: String?
        var password: String?
        var exec: ExecEntry?
        /// As whom to act.
        var user: String?
        var uid: String?
        var groups: [String]?
        var extra: [String: [String]]?
        var hasAuthProvider = false

        enum CodingKeys: String, CodingKey {
            case clientCertificate = "client-certificate"
            case clientCertificateData = "client-certificate-data"
            case clientKey = "client-key"
            case clientKeyData = "client-key-data"
            case token, tokenFile, username, password, exec
            case user = "as"
            case uid = "as-uid"
            case groups = "as-groups"
            case extra = "as-user-extra"
            case authProvider = "auth-provider"
        }

        init() {}

        init(from decoder: any Decoder) throws {
            let container = try decoder.container(keyedBy: CodingKeys.self)
            clientCertificate = try container.decodeIfPresent(String.self, forKey: .clientCertificate)
            clientCertificateData = try container.decodeIfPresent(String.self, forKey: .clientCertificateData)
            clientKey = try container.decodeIfPresent(String.self, forKey: .clientKey)
            clientKeyData = try container.decodeIfPresent(String.self, forKey: .clientKeyData)
            token = try container.decodeIfPresent(String.self, forKey: .token)
            tokenFile = try container.decodeIfPresent(String.self, forKey: .tokenFile)
            username = try container.decodeIfPresent(String.self, forKey: .username)
            password = try container.decodeIfPresent(String.self, forKey: .password)
            exec = try container.decodeIfPresent(ExecEntry.self, forKey: .exec)
            user = try container.decodeIfPresent(String.self, forKey: .user)
            uid = try container.decodeIfPresent(String.self, forKey: .uid)
            groups = try container.decodeIfPresent([String].self, forKey: .groups)
            extra = try container.decodeIfPresent([String: [String]].self, forKey: .extra)
            hasAuthProvider = container.contains(.authProvider)
        }
    }
}
