public import KubernetesClient
internal import Synchronization

/// The versions of our own last writes: a cache that has not reached them shows the world before we changed it.
public final class LastWrites: Sendable {
    private let versions = Mutex<[ObjectKey: String]>([:])

    public init() {}

    /// We wrote the object, and this is what it became.
    public func wrote(_ object: some KubernetesMetadata) {
        guard let version = object.metadata.resourceVersion else { return }
        versions.withLock { $0[object.key] = version }
    }

    /// Whether what the cache has of `key` is at least as new as our last write.
    ///
    /// Versions of one resource are compared as numbers, which all servers give:
    /// <https://kubernetes.io/docs/reference/using-api/api-concepts/#resource-versions>
    public func isReached(by cached: ObjectMeta?, for key: ObjectKey) -> Bool {
        versions.withLock { versions in
            guard let written = versions[key] else { return true }
            guard let cached else {
                // Gone, or not there yet: the caller asks the server.
                versions[key] = nil
                return true
            }
            guard let seen = cached.resourceVersion.flatMap({ UInt64($0) }), let own = UInt64(written) else {
                return cached.resourceVersion == written
            }
            if seen >= own { versions[key] = nil }
            return seen >= own
        }
    }

    public func forget(_ key: ObjectKey) {
        versions.withLock { $0[key] = nil }
    }
}
