public import KubernetesClient
internal import Synchronization

/// The versions of our own last writes: a cache that has not reached them shows the world before we changed it.
public final class LastWrites: Sendable {
    private struct Write {
        var version: String
        var at: ContinuousClock.Instant
    }

    /// A cache that is behind for longer will not get there: the server was restored to a state before the write.
    static let patience: Duration = .seconds(30)

    private let writes = Mutex<[ObjectKey: Write]>([:])
    private let now: @Sendable () -> ContinuousClock.Instant

    /// - Parameter now: what the time since a write is measured by.
    public init(now: @escaping @Sendable () -> ContinuousClock.Instant = { .now }) {
        self.now = now
    }

    /// We wrote the object, and this is what it became.
    public func wrote(_ object: some KubernetesMetadata) {
        guard let version = object.metadata.resourceVersion else { return }
        let write = Write(version: version, at: now())
        writes.withLock { $0[object.key] = write }
    }

    /// Whether what the cache has of `key` is at least as new as our last write. One of more than 30 s ago is forgotten.
    ///
    /// Versions of one resource are compared as numbers, which all servers give:
    /// <https://kubernetes.io/docs/reference/using-api/api-concepts/#resource-versions>
    public func isReached(by cached: ObjectMeta?, for key: ObjectKey) -> Bool {
        let now = now()
        return writes.withLock { writes in
            guard let write = writes[key] else { return true }
            // Without a cached object it has gone, or is not there yet: the caller asks the server.
            guard let cached, write.at.duration(to: now) < Self.patience else {
                writes[key] = nil
                return true
            }
            guard let seen = cached.resourceVersion.flatMap({ UInt64($0) }), let own = UInt64(write.version) else {
                return cached.resourceVersion == write.version
            }
            if seen >= own { writes[key] = nil }
            return seen >= own
        }
    }

    public func forget(_ key: ObjectKey) {
        writes.withLock { $0[key] = nil }
    }
}
