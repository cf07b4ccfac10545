/// What every object has: metadata. Enough to be listed, watched and kept in a store.
public protocol KubernetesMetadata: Decodable, Sendable {
    var metadata: ObjectMeta { get }
}

/// An object with a type of its own.
///
/// The types are for reading, and hold the fields that are needed. Writing one back whole would drop the others: use
/// ``KubernetesClient/apply(_:_:_:fieldManager:force:subresource:)`` with the fields to write.
public protocol KubernetesObject: KubernetesMetadata, Encodable {
    static var resource: ResourceDescriptor { get }
}

extension KubernetesMetadata {
    /// Namespace and name.
    public var key: ObjectKey { ObjectKey(metadata.name, in: metadata.namespace) }
}
