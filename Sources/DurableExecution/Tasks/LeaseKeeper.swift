internal import DurablePromises
internal import Logging
internal import Synchronization

/// Keeps the leases of the tasks that this process holds, and tells when one is lost.
final class LeaseKeeper: Sendable {
    private struct Entry: Sendable {
        let task: HeldTask
        let lost: @Sendable (any Error) -> Void
    }

    private let client: any PromiseClient
    private let pid: String
    private let lease: Duration
    private let environment: DurableEnvironment
    private let logger: Logger
    private let entries = Mutex<[TaskReference: Entry]>([:])

    /// Of one heartbeat: servers take no more than some hundreds.
    private static let mostTasks = 256

    init(
        client: any PromiseClient,
        pid: String,
        lease: Duration,
        environment: DurableEnvironment,
        logger: Logger
    ) {
        self.client = client
        self.pid = pid
        self.lease = lease
        self.environment = environment
        self.logger = logger
    }

    /// - Parameter lost: called at most once, with ``LeaseLost``, or with why nobody could be asked for so long that the
    ///   lease must be over.
    func add(_ task: HeldTask, lost: @escaping @Sendable (any Error) -> Void) {
        entries.withLock { $0[task.claim.reference] = Entry(task: task, lost: lost) }
    }

    func remove(_ task: HeldTask) {
        entries.withLock { $0[task.claim.reference] = nil }
    }

    /// Extends the leases again and again, until the task is cancelled.
    func run() async throws {
        while true {
            try await environment.sleep(lease / 4)
            await beat()
        }
    }

    /// A heartbeat says nothing about who lost what, so that is asked as well.
    private func beat() async {
        let entries = entries.withLock { $0 }
        guard !entries.isEmpty else { return }
        let held = Array(entries.keys)
        do {
            let beats = stride(from: 0, to: held.count, by: Self.mostTasks).map { start in
                Request(.heartbeat(pid: pid, tasks: Array(held[start...].prefix(Self.mostTasks))))
            }
            let responses = try await client.process(beats + held.map { Request(.getTask(id: $0.id)) })
            for response in responses.prefix(beats.count) { _ = try response.get() }
            for (reference, response) in zip(held, responses.dropFirst(beats.count)) {
                guard response.status < 500, let entry = entries[reference] else { continue }
                let task = response.status == 404 ? nil : try response.get().task
                if task?.state == .acquired, task?.version == reference.version {
                    entry.task.extend()
                } else {
                    lose(entry, LeaseLost(task: reference.id))
                }
            }
        } catch {
            if Task.isCancelled { return }
            logger.notice("the heartbeat failed and is tried again", metadata: ["error": "\(error)"])
            for entry in entries.values where entry.task.isOver { lose(entry, error) }
        }
    }

    private func lose(_ entry: Entry, _ error: any Error) {
        let isFirst = entries.withLock { $0.removeValue(forKey: entry.task.claim.reference) != nil }
        if isFirst { entry.lost(error) }
    }
}
