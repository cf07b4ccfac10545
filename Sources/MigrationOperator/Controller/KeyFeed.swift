internal import ControllerRuntime
internal import KubernetesClient

/// Takes keys from where nobody can wait, such as a store's handler or an engine's report, to a work queue.
struct KeyFeed: Sendable {
    private let keys: AsyncStream<ObjectKey>
    private let put: AsyncStream<ObjectKey>.Continuation

    init() {
        (keys, put) = AsyncStream.makeStream()
    }

    func add(_ key: ObjectKey) {
        put.yield(key)
    }

    /// Feeds the queue until its task is cancelled.
    func run(into queue: WorkQueue<ObjectKey>) async {
        for await key in keys { await queue.add(key) }
    }
}
