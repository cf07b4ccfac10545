public import KubernetesClient
public import MigrationEngine

/// The custom resource: what a user wants of a database's schema, and how far it is.
public struct Migration: KubernetesObject, Hashable {
    public static let resource = ResourceDescriptor(
        group: SluiceName.group, version: "v1alpha1", plural: "migrations", kind: "Migration")

    public var apiVersion = Migration.resource.apiVersion
    public var kind = Migration.resource.kind
    public var metadata: ObjectMeta
    public var spec: MigrationSpec?
    /// The spec as it was written, for checks that name the field, and for what `spec` cannot express.
    public var rawSpec: JSONValue {
        get { specText.value }
        set { specText = JSONText(newValue) }
    }
    private var specText: JSONText
    /// Why `spec` is nil. One object that cannot be read must not keep the others from being listed.
    public var specProblem: String?
    public var status: MigrationStatus?

    public init(metadata: ObjectMeta, spec: JSONValue, status: MigrationStatus? = nil) {
        self.init(metadata: metadata, spec: JSONText(spec), status: status)
    }

    private init(metadata: ObjectMeta, spec: JSONText, status: MigrationStatus?) {
        self.metadata = metadata
        self.status = status
        specText = spec
        do {
            self.spec = try spec.decode(MigrationSpec.self)
        } catch {
            specProblem = error.message
        }
    }

    private enum CodingKeys: CodingKey { case apiVersion, kind, metadata, spec, status }

    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        var metadata = try container.decode(ObjectMeta.self, forKey: .metadata)
        // An operator keeps all Migrations in mind, and asks of none who wrote which field, or what kubectl has noted.
        metadata.managedFields = []
        metadata.annotations = metadata.annotations.filter { $0.key != SluiceName.lastApplied }
        self.init(
            metadata: metadata,
            spec: try container.decodeIfPresent(JSONText.self, forKey: .spec) ?? JSONText([:]),
            // A status that an older or newer operator wrote is written anew.
            status: try? container.decodeIfPresent(MigrationStatus.self, forKey: .status))
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(apiVersion, forKey: .apiVersion)
        try container.encode(kind, forKey: .kind)
        try container.encode(metadata, forKey: .metadata)
        try container.encode(rawSpec, forKey: .spec)
        try container.encodeIfPresent(status, forKey: .status)
    }

    /// Who it is in the ledger.
    public var migrationName: MigrationName {
        MigrationName(namespace: metadata.namespace ?? "default", name: metadata.name)
    }

    var generation: Int64 { metadata.generation ?? 0 }
    var hasFinalizer: Bool { metadata.finalizers.contains(SluiceName.finalizer) }

    /// Also known when the rest of the spec cannot be read.
    var deletionPolicy: DeletionPolicy {
        rawSpec["deletionPolicy"]?.string.flatMap(DeletionPolicy.init(rawValue:)) ?? .orphan
    }
}
