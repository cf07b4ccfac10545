public import Logging
public import PostgreSQL
internal import Synchronization

/// Promises, tasks and schedules in a PostgreSQL database, in the schema `sluice`.
///
/// Requests that come at the same time share a transaction: what they are about is locked and read, the
/// ``PromiseStateMachine`` decides one after the other, and what changed is written; two round trips and one commit for all
/// of them. Any number of stores, in any number of processes, may work on one database. The time is the database's, so
/// that all agree when a lease ends.
///
/// ``run()`` serves what happens without being asked: deadlines, leases, schedules, messages.
public final class PromiseStore: PromiseClient, Sendable {
    let pool: PostgresPool
    let settings: Settings
    let lanes: RequestLanes
    let mailroom = Mailroom()
    private let frozen = Atomic(false)
    public let logger: Logger

    /// How a store works.
    public struct Settings: Sendable {
        public var clock: PromiseClock
        public var rules: PromiseRules
        /// How many transactions run at the same time; each needs a connection.
        public var lanes: Int
        /// How many requests share a transaction at the most.
        public var batchSize: Int
        /// How often it looks for what is due, at the least.
        public var sweepInterval: Duration
        /// How long settled promises are kept; nil keeps them for ever.
        public var retention: Duration?
        /// Delivers messages for `http://` and `https://` addresses; nil leaves them to other replicas.
        public var webhook: (any MessageWebhook)?
        /// Takes `debug.*` requests, and the time from requests. Whoever may send requests may then do anything.
        public var isDebugging: Bool
        /// Is told how many promises schedules have made, whenever they have made some.
        public var didSchedule: (@Sendable (Int) -> Void)?

        public init(
            clock: PromiseClock = .database,
            rules: PromiseRules = PromiseRules(),
            lanes: Int = 2,
            batchSize: Int = 256,
            sweepInterval: Duration = .milliseconds(500),
            retention: Duration? = nil,
            webhook: (any MessageWebhook)? = nil,
            isDebugging: Bool = false
        ) {
            self.clock = clock
            self.rules = rules
            self.lanes = lanes
            self.batchSize = batchSize
            self.sweepInterval = sweepInterval
            self.retention = retention
            self.webhook = webhook
            self.isDebugging = isDebugging
        }
    }

    /// A store on connections that others may use as well. It wants ``Settings/lanes`` of them for requests, and with
    /// ``run()`` three more.
    public init(pool: PostgresPool, settings: Settings = Settings(), logger: Logger = Logger(label: "sluice.promises"))
    {
        self.pool = pool
        self.settings = settings
        self.logger = logger
        let mailroom = mailroom
        lanes = RequestLanes(pool: pool, settings: settings, logger: logger) {
            if !mailroom.isEmpty || settings.webhook != nil { mailroom.lookForMail() }
        }
    }

    public convenience init(pool: PostgresPool, clock: PromiseClock, rules: PromiseRules = PromiseRules()) {
        self.init(pool: pool, settings: Settings(clock: clock, rules: rules))
    }

    public func process(_ request: Request) async throws -> Response {
        switch request.operation {
        case .searchPromises, .searchTasks, .searchSchedules: return try await PromiseSearches(self).answer(request)
        case .startDebugging, .stopDebugging, .resetForDebugging, .tick, .snapshot:
            return try await Debugging(self).answer(request)
        default: break
        }
        // What names nothing that is stored, or what cannot be stored, is answered without looking.
        guard let partitions = request.operation.partitions else {
            var machine = PromiseStateMachine(stored: PromiseRecords(), rules: settings.rules)
            return machine.answer(request, now: 0)
        }
        let time = settings.isDebugging ? request.head.debugTime : nil
        let response = try await lanes.perform(.request(request), partitions, at: time)
        return response ?? Response(to: request, status: 500, error: "the request was not answered")
    }

    /// In one transaction, when all of them are about promises and tasks by their ids.
    public func process(_ requests: [Request]) async throws -> [Response] {
        let works = requests.compactMap { request -> (RequestQueue.Work, Set<Int64>, Int64?)? in
            guard let partitions = request.operation.partitions else { return nil }
            return (.request(request), partitions, settings.isDebugging ? request.head.debugTime : nil)
        }
        guard works.count == requests.count, works.count > 1 else {
            var responses: [Response] = []
            for request in requests { responses.append(try await process(request)) }
            return responses
        }
        return try await zip(requests, lanes.perform(works)).map { request, response in
            response ?? Response(to: request, status: 500, error: "the request was not answered")
        }
    }

    public func messages(group: String, id: String) -> AsyncStream<PromiseMessage> {
        let deliveries = deliveries(group: group, id: id)
        return AsyncStream { continuation in
            let forwarding = Task {
                for await delivery in deliveries {
                    continuation.yield(delivery.message)
                    delivery.acknowledge()
                }
                continuation.finish()
            }
            continuation.onTermination = { _ in forwarding.cancel() }
        }
    }

    /// As ``messages(group:id:)``, but a message that is not acknowledged is delivered again, to whoever is there then.
    public func deliveries(group: String, id: String) -> AsyncStream<MessageDelivery> {
        mailroom.subscribe(group: group, id: id)
    }

    /// Whether nothing happens without being asked.
    var isFrozen: Bool { frozen.load(ordering: .relaxed) }

    func freeze(_ isFrozen: Bool) {
        frozen.store(isFrozen, ordering: .relaxed)
    }

    /// Ends what is under way, and answers no more. May be repeated.
    public func close() {
        lanes.close()
        mailroom.close()
    }
}

extension PromiseOperation {
    /// What has to be locked for the request; nil when it names nothing that could be stored.
    var partitions: Set<Int64>? {
        let ids = promiseIDs
        guard ids.allSatisfy({ Identifier.isValid($0) }) else { return nil }
        if let scheduleID {
            guard Identifier.isValid(scheduleID) else { return nil }
            return [Partition.ofSchedule(scheduleID)]
        }
        return ids.isEmpty ? nil : Set(ids.map { Partition.ofPromise($0) })
    }
}
