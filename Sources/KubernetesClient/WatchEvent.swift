/// One change that a watch tells of.
public enum WatchEvent<Object: KubernetesMetadata>: Sendable {
    case added(Object)
    case modified(Object)
    /// The object as it was last.
    case deleted(Object)
    /// Nothing changed up to this version. `endsInitialEvents`: what was there at the beginning has all been told.
    case bookmark(resourceVersion: String, endsInitialEvents: Bool)

    /// The version from which a watch goes on after this event.
    public var resourceVersion: String? {
        switch self {
        case .added(let object), .modified(let object), .deleted(let object): object.metadata.resourceVersion
        case .bookmark(let version, _): version
        }
    }
}

/// A line of a watch.
struct WatchLine<Object: KubernetesMetadata>: Decodable {
    enum Content {
        case event(WatchEvent<Object>)
        case error(Status)
        /// A type that did not exist when this was written.
        case other
    }

    let content: Content

    private enum CodingKeys: CodingKey { case type, object }
    private struct Bookmark: Decodable { var metadata: ObjectMeta }

    init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        switch try container.decode(String.self, forKey: .type) {
        case "ADDED": content = .event(.added(try container.decode(Object.self, forKey: .object)))
        case "MODIFIED": content = .event(.modified(try container.decode(Object.self, forKey: .object)))
        case "DELETED": content = .event(.deleted(try container.decode(Object.self, forKey: .object)))
        case "BOOKMARK":
            let metadata = try container.decode(Bookmark.self, forKey: .object).metadata
            content = .event(
                .bookmark(
                    resourceVersion: metadata.resourceVersion ?? "",
                    endsInitialEvents: metadata.annotations["k8s.io/initial-events-end"] == "true"))
        case "ERROR": content = .error(try container.decode(Status.self, forKey: .object))
        default: content = .other
        }
    }
}
