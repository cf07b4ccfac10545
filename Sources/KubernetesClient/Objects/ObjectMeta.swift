/// An object's identity, version, labels and owners.
public struct ObjectMeta: Codable, Hashable, Sendable {
    public var name: String
    public var namespace: String?
    public var uid: String?
    /// Opaque: compare for equality only, but for what ``LastWrites`` in the runtime needs.
    public var resourceVersion: String?
    public var generation: Int64?
    public var creationTimestamp: Timestamp?
    /// When its deletion was asked for: it stays until the last finalizer is gone.
    public var deletionTimestamp: Timestamp?
    public var labels: [String: String]
    public var annotations: [String: String]
    public var finalizers: [String]
    public var ownerReferences: [OwnerReference]
    public var managedFields: [ManagedFields]

    public init(
        name: String, namespace: String? = nil, labels: [String: String] = [:], annotations: [String: String] = [:],
        finalizers: [String] = [], ownerReferences: [OwnerReference] = []
    ) {
        self.name = name
        self.namespace = namespace
        self.labels = labels
        self.annotations = annotations
        self.finalizers = finalizers
        self.ownerReferences = ownerReferences
        managedFields = []
    }

    public var isBeingDeleted: Bool { deletionTimestamp != nil }

    /// The owner that manages this object.
    public var controller: OwnerReference? { ownerReferences.first { $0.controller == true } }

    private enum CodingKeys: CodingKey {
        case name, namespace, uid, resourceVersion, generation, creationTimestamp, deletionTimestamp, labels,
            annotations, finalizers, ownerReferences, managedFields
    }

    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        name = try container.decodeIfPresent(String.self, forKey: .name) ?? ""
        namespace = try container.decodeIfPresent(String.self, forKey: .namespace)
        uid = try container.decodeIfPresent(String.self, forKey: .uid)
        resourceVersion = try container.decodeIfPresent(String.self, forKey: .resourceVersion)
        generation = try container.decodeIfPresent(Int64.self, forKey: .generation)
        creationTimestamp = try container.decodeIfPresent(Timestamp.self, forKey: .creationTimestamp)
        deletionTimestamp = try container.decodeIfPresent(Timestamp.self, forKey: .deletionTimestamp)
        labels = try container.decodeIfPresent([String: String].self, forKey: .labels) ?? [:]
        annotations = try container.decodeIfPresent([String: String].self, forKey: .annotations) ?? [:]
        finalizers = try container.decodeIfPresent([String].self, forKey: .finalizers) ?? []
        ownerReferences = try container.decodeIfPresent([OwnerReference].self, forKey: .ownerReferences) ?? []
        managedFields = try container.decodeIfPresent([ManagedFields].self, forKey: .managedFields) ?? []
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(name, forKey: .name)
        try container.encodeIfPresent(namespace, forKey: .namespace)
        try container.encodeIfPresent(uid, forKey: .uid)
        try container.encodeIfPresent(resourceVersion, forKey: .resourceVersion)
        try container.encodeIfPresent(generation, forKey: .generation)
        try container.encodeIfPresent(creationTimestamp, forKey: .creationTimestamp)
        try container.encodeIfPresent(deletionTimestamp, forKey: .deletionTimestamp)
        if !labels.isEmpty { try container.encode(labels, forKey: .labels) }
        if !annotations.isEmpty { try container.encode(annotations, forKey: .annotations) }
        if !finalizers.isEmpty { try container.encode(finalizers, forKey: .finalizers) }
        if !ownerReferences.isEmpty { try container.encode(ownerReferences, forKey: .ownerReferences) }
        if !managedFields.isEmpty { try container.encode(managedFields, forKey: .managedFields) }
    }
}

/// The object that another one belongs to: when it goes, so does the other.
public struct OwnerReference: Codable, Hashable, Sendable {
    public var apiVersion: String
    public var kind: String
    public var name: String
    public var uid: String
    public var controller: Bool?
    public var blockOwnerDeletion: Bool?

    public init(
        apiVersion: String, kind: String, name: String, uid: String, controller: Bool? = nil,
        blockOwnerDeletion: Bool? = nil
    ) {
        self.apiVersion = apiVersion
        self.kind = kind
        self.name = name
        self.uid = uid
        self.controller = controller
        self.blockOwnerDeletion = blockOwnerDeletion
    }
}

/// Which manager wrote which fields, by which kind of write.
public struct ManagedFields: Codable, Hashable, Sendable {
    public var manager: String?
    /// `Apply` or `Update`.
    public var operation: String?
    public var subresource: String?
    public var time: Timestamp?
    /// Most of an object's metadata, and hardly ever looked into: kept as it came.
    private var fields: JSONText?

    private enum CodingKeys: String, CodingKey {
        case manager, operation, subresource, time
        case fields = "fieldsV1"
    }

    public var fieldsV1: JSONValue? { fields?.value }
}
