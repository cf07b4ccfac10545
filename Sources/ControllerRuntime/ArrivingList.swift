internal import KubernetesClient

/// A list that comes as a stream, until it is whole: the store must not show half of it.
struct ArrivingList<Object: KubernetesMetadata> {
    enum Progress {
        case more
        case whole([Object], resourceVersion: String)
        /// The server does not stream lists, whatever it says: it sends what comes in a watch after those.
        case notStreamed
    }

    private var objects: [ObjectKey: Object] = [:]

    mutating func take(_ event: WatchEvent<Object>) -> Progress {
        switch event {
        case .added(let object), .modified(let object):
            objects[object.key] = object
            return .more
        case .deleted(let object):
            objects[object.key] = nil
            return .more
        case .bookmark(let version, endsInitialEvents: true):
            return .whole(Array(objects.values), resourceVersion: version)
        case .bookmark:
            return .notStreamed
        }
    }
}
