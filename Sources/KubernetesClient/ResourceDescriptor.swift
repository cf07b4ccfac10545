/// A kind of object and where the server keeps it.
public struct ResourceDescriptor: Hashable, Sendable {
    /// Empty for the core group.
    public var group: String
    public var version: String
    /// The name in paths: `deployments`.
    public var plural: String
    public var kind: String
    public var isNamespaced: Bool

    public init(group: String, version: String, plural: String, kind: String, isNamespaced: Bool = true) {
        self.group = group
        self.version = version
        self.plural = plural
        self.kind = kind
        self.isNamespaced = isNamespaced
    }

    public var apiVersion: String {
        group.isEmpty ? version : "\(group)/\(version)"
    }

    /// The path below which the group's version is served.
    var root: String {
        group.isEmpty ? "/api/\(version)" : "/apis/\(group)/\(version)"
    }

    /// The path of all objects, or of those in `namespace`.
    func collection(in namespace: String?) -> String {
        guard isNamespaced, let namespace else { return "\(root)/\(plural)" }
        return "\(root)/namespaces/\(namespace.pathEscaped)/\(plural)"
    }

    func path(of key: ObjectKey, subresource: String? = nil) -> String {
        let path = "\(collection(in: key.namespace))/\(key.name.pathEscaped)"
        return subresource.map { "\(path)/\($0)" } ?? path
    }
}

extension ResourceDescriptor {
    public static let namespaces = core("namespaces", "Namespace", isNamespaced: false)
    public static let configMaps = core("configmaps", "ConfigMap")
    public static let services = core("services", "Service")
    public static let serviceAccounts = core("serviceaccounts", "ServiceAccount")
    public static let clusterRoles = rbac("clusterroles", "ClusterRole", isNamespaced: false)
    public static let clusterRoleBindings = rbac("clusterrolebindings", "ClusterRoleBinding", isNamespaced: false)
    public static let roles = rbac("roles", "Role")
    public static let roleBindings = rbac("rolebindings", "RoleBinding")
    public static let customResourceDefinitions = ResourceDescriptor(
        group: "apiextensions.k8s.io", version: "v1", plural: "customresourcedefinitions",
        kind: "CustomResourceDefinition", isNamespaced: false)

    public static let mutatingWebhookConfigurations = ResourceDescriptor(
        group: "admissionregistration.k8s.io", version: "v1", plural: "mutatingwebhookconfigurations",
        kind: "MutatingWebhookConfiguration", isNamespaced: false)

    private static func core(_ plural: String, _ kind: String, isNamespaced: Bool = true) -> ResourceDescriptor {
        ResourceDescriptor(group: "", version: "v1", plural: plural, kind: kind, isNamespaced: isNamespaced)
    }

    private static func rbac(_ plural: String, _ kind: String, isNamespaced: Bool = true) -> ResourceDescriptor {
        ResourceDescriptor(
            group: "rbac.authorization.k8s.io", version: "v1", plural: plural, kind: kind, isNamespaced: isNamespaced)
    }
}

extension String {
    /// Percent-encoded for one component of a path, or for a query's value.
    var pathEscaped: String {
        var escaped = ""
        for byte in utf8 {
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"),
                UInt8(ascii: "~"):
                escaped.unicodeScalars.append(Unicode.Scalar(byte))
            default:
                escaped += "%" + (byte < 16 ? "0" : "") + String(byte, radix: 16, uppercase: true)
            }
        }
        return escaped
    }
}
