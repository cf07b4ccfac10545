public import KubernetesClient
internal import Synchronization

/// Queues the key of each object of a store again from time to time, though nothing happened to it: what a controller missed,
/// or what changed where nobody watches, is mended then.
public final class Resync: Sendable {
    private let schedule: Mutex<ResyncSchedule<ObjectKey>>
    private let queue: WorkQueue<ObjectKey>

    /// - Parameters:
    ///   - store: whose objects. One that is removed is not queued any more.
    ///   - period: how long after an object came, and then after each time, give or take a tenth.
    public init(
        _ store: Store<some KubernetesMetadata>, into queue: WorkQueue<ObjectKey>,
        every period: Duration = .seconds(36_000),
        random: RandomSource = .system
    ) {
        schedule = Mutex(ResyncSchedule(period: period, random: random))
        self.queue = queue
        store.observe { [weak self] change in
            self?.schedule.withLock { schedule in
                switch change {
                case .added(let object), .updated(_, let object): schedule.add(object.key, at: .now)
                case .deleted(let object): schedule.remove(object.key)
                }
            }
        }
    }

    /// Works until its task is cancelled. Run it once.
    @concurrent
    public func run() async {
        while !Task.isCancelled {
            let next = schedule.withLock { $0.nextLook(after: .now) }
            guard (try? await ContinuousClock().sleep(until: next)) != nil else { return }
            for key in schedule.withLock({ $0.due(at: .now) }) { queue.add(key) }
        }
    }
}
