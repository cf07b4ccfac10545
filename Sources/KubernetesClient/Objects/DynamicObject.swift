/// An object of any kind, with all its fields.
public struct DynamicObject: KubernetesMetadata, Encodable, Hashable {
    public var metadata: ObjectMeta
    /// The whole object, metadata included.
    public var json: JSONValue

    public init(_ json: JSONValue) throws(KubernetesError) {
        self.json = json
        metadata =
            try json["metadata"].map { metadata throws(KubernetesError) in try metadata.decode(ObjectMeta.self) }
            ?? ObjectMeta(name: "")
    }

    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        metadata = try container.decodeIfPresent(ObjectMeta.self, forKey: .metadata) ?? ObjectMeta(name: "")
        json = try JSONValue(from: decoder)
    }

    public func encode(to encoder: any Encoder) throws {
        try json.encode(to: encoder)
    }

    private enum CodingKeys: CodingKey { case metadata }

    public var apiVersion: String? { json["apiVersion"]?.string }
    public var kind: String? { json["kind"]?.string }

    public subscript(key: String) -> JSONValue? { json[key] }
}
