/// Objects, and the version of the whole collection from which to watch.
public struct ObjectList<Object: KubernetesMetadata>: Sendable {
    public var items: [Object]
    public var resourceVersion: String
}

/// One answer to a list.
struct ListPage<Object: KubernetesMetadata>: Decodable, Sendable {
    struct Metadata: Decodable {
        var resourceVersion: String?
        var `continue`: String?
    }

    var metadata: Metadata
    var items: [Object]?
}
