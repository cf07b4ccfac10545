public import KubernetesClient
internal import YAML

/// Applies the custom resource and the operator's rights: what `sluice install` does. May be repeated.
public struct Installer: Sendable {
    /// What became of one object.
    public struct Applied: Sendable, Hashable, CustomStringConvertible {
        public enum Outcome: String, Sendable {
            case created, configured, unchanged
        }

        /// `ClusterRole/sluice-operator`.
        public var name: String
        public var outcome: Outcome

        public var description: String { "\(name) \(outcome.rawValue)" }
    }

    private static let fieldManager = "sluice-install"
    private let client: KubernetesClient
    private let parts: Parts

    /// What is applied.
    public struct Parts: OptionSet, Sendable {
        public let rawValue: Int

        public init(rawValue: Int) {
            self.rawValue = rawValue
        }

        /// The custom resource, and the operator's rights.
        public static let base = Parts(rawValue: 1)
        /// The admission webhook's Service, and its configuration, in which nothing is said yet.
        public static let webhook = Parts(rawValue: 2)
    }

    public init(client: KubernetesClient, parts: Parts = .base) {
        self.client = client
        self.parts = parts
    }

    /// The manifests as YAML, in the order in which they are applied: what `--dry-run` prints. Asks no server.
    public static func manifests(_ parts: Parts = .base) -> String {
        var files: [[UInt8]] = []
        if parts.contains(.base) {
            files += [PackageResources.crd_yaml, PackageResources.approvals_yaml, PackageResources.rbac_yaml]
        }
        if parts.contains(.webhook) { files.append(PackageResources.webhook_yaml) }
        return files.map { String(decoding: $0, as: UTF8.self) }.joined(separator: "---\n")
    }

    /// Applies everything, and waits until the server knows the kind Migration.
    ///
    /// - Throws: ``KubernetesError``: `forbidden` for who is not an administrator of the cluster.
    /// - Parameter progress: called after each object.
    public func install(_ progress: @Sendable (Applied) -> Void = { _ in }) async throws {
        for document in try YAML.documents(in: Self.manifests(parts)) {
            progress(try await apply(JSONValue(document)))
        }
        try await waitUntilServed()
    }

    private func apply(_ manifest: JSONValue) async throws -> Applied {
        let kind = manifest["kind"]?.string ?? ""
        let name = manifest[path: "metadata", "name"]?.string ?? ""
        guard let resource = Self.resources.first(where: { $0.kind == kind }) else {
            preconditionFailure("an embedded manifest has the kind \(kind), which the installer does not know")
        }
        let key = ObjectKey(name, in: manifest[path: "metadata", "namespace"]?.string)
        let before = try await client.find(resource, key)
        let after = try await client.apply(
            resource, key, manifest, fieldManager: Self.fieldManager, force: true)
        let outcome: Applied.Outcome =
            switch before?.metadata.resourceVersion {
            case nil: .created
            case after.metadata.resourceVersion: .unchanged
            default: .configured
            }
        return Applied(name: "\(kind)/\(name)", outcome: outcome)
    }

    private static let resources: [ResourceDescriptor] = [
        .customResourceDefinitions, .namespaces, .serviceAccounts, .clusterRoles, .clusterRoleBindings, .roles,
        .roleBindings, .services, .mutatingWebhookConfigurations,
    ]

    /// The server takes a moment to serve a new kind.
    private func waitUntilServed() async throws {
        let deadline = ContinuousClock.now + .seconds(30)
        while try await !serves(Migration.resource, MigrationApproval.resource) {
            guard ContinuousClock.now < deadline else {
                throw KubernetesError(
                    .timeout,
                    "the server has the custom resource, but does not serve it yet: see "
                        + "kubectl describe crd migrations.sluice.dev")
            }
            try await Task.sleep(for: .milliseconds(100))
        }
    }

    private func serves(_ resources: ResourceDescriptor...) async throws(KubernetesError) -> Bool {
        for resource in resources where try await !client.supports(resource) { return false }
        return true
    }
}
