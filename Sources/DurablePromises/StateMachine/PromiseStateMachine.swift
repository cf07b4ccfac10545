/// The rules of promises, tasks and schedules, without a store: what requests are answered, given what is stored and the
/// time. Records in; answers, records and messages out.
///
/// They are those of the Resonate protocol, version 2026-04-01. Guards answer in the protocol's order: 400 before 404
/// before 409 and 422. Every answer is about the records as they are at that time: a promise whose deadline has passed is
/// settled with all that follows before anything else is looked at, and the end of a lease is seen at that very moment.
///
/// It takes several requests, one after the other, as one store transaction does.
public struct PromiseStateMachine: Sendable {
    struct Refusal: Error {
        let status: Int
        let message: String

        init(_ status: Int, _ message: String) {
            self.status = status
            self.message = message
        }
    }

    /// What is to be written, in the transaction in which the records were read.
    public struct Outcome: Sendable, Hashable {
        /// The records that are new or different.
        public var changes: PromiseRecords
        public var removedCallbacks: Set<Callback>
        public var removedListeners: Set<Listener>
        public var removedSchedules: Set<String>
        /// What to tell, by key.
        public var messages: [String: OutgoingMessage]
        /// What it was told has come, whatever came of it.
        public var events: Set<PromiseEvent>
    }

    var records: PromiseRecords
    let stored: PromiseRecords
    let rules: PromiseRules
    var now: Int64 = 0
    private var messages: [String: OutgoingMessage] = [:]
    private var events: Set<PromiseEvent> = []

    /// - Parameter stored: the promises of all ids that the requests name, those that exist, with what hangs on them, and
    ///   the promises that wait for them.
    public init(stored: PromiseRecords, rules: PromiseRules = PromiseRules()) {
        self.stored = stored
        self.rules = rules
        records = stored
    }

    /// Answers a request at a time, in milliseconds since 1970.
    public mutating func answer(_ request: Request, now: Int64) -> Response {
        self.now = now
        expire(request.operation.promiseIDs)
        return answer(request)
    }

    /// Lets happen what is due.
    public mutating func handle(_ event: PromiseEvent, now: Int64) {
        self.now = now
        events.insert(event)
        expire(event.promiseIDs)
        switch event {
        case .deadline: break
        case .wake(let id): wake(id)
        case .tick(let schedule, let promise): tick(schedule, promise)
        }
    }

    /// What came of all that it was asked.
    public var outcome: Outcome {
        let changes = PromiseRecords(
            promises: records.promises.values.filter { stored.promises[$0.id] != $0 },
            tasks: records.tasks.values.filter { stored.tasks[$0.id] != $0 },
            callbacks: records.callbacks.subtracting(stored.callbacks),
            listeners: records.listeners.subtracting(stored.listeners),
            schedules: records.schedules.values.filter { stored.schedules[$0.id] != $0 }
        )
        return Outcome(
            changes: changes,
            removedCallbacks: stored.callbacks.subtracting(records.callbacks),
            removedListeners: stored.listeners.subtracting(records.listeners),
            removedSchedules: Set(stored.schedules.keys).subtracting(records.schedules.keys),
            // A task that was offered and taken since is nobody's business any more.
            messages: messages.filter { isTrue($0.value) },
            events: events
        )
    }

    private func isTrue(_ message: OutgoingMessage) -> Bool {
        guard case .execute(let task, _) = message else { return true }
        return records.tasks[task.id].map { $0.state == .pending && $0.version == task.version } ?? false
    }

    mutating func tell(_ message: OutgoingMessage) {
        messages[message.key] = message
    }

    // MARK: Requests

    mutating func answer(_ request: Request) -> Response {
        do throws(Refusal) {
            if let flaw = request.versionFlaw {
                if case .malformed(_, let reason) = request.operation { throw Refusal(400, reason) }
                throw Refusal(400, flaw)
            }
            if let id = request.operation.soughtID, !Identifier.isValid(id) {
                throw Refusal(400, "an id \(Identifier.rule)")
            }
            if case .suspendTask(let task, let actions) = request.operation {
                guard let preload = try suspend(task, actions) else { return Response(to: request) }
                return Response(to: request, status: 300, data: ResponseData(preload: preload))
            }
            return Response(to: request, data: try perform(request.operation))
        } catch {
            return Response(to: request, status: error.status, error: error.message)
        }
    }

    private mutating func perform(_ operation: PromiseOperation) throws(Refusal) -> ResponseData {
        switch operation {
        case .getPromise(let id): return ResponseData(promise: try promise(id))
        case .createPromise(let creation): return ResponseData(promise: try create(creation))
        case .settlePromise(let settlement): return ResponseData(promise: try settle(settlement))
        case .registerCallback(let callback): return ResponseData(promise: try register(callback))
        case .registerListener(let listener): return ResponseData(promise: try register(listener))
        case .getTask(let id): return ResponseData(task: try task(id))
        case .createTask(let pid, let ttl, let action): return try createTask(pid, ttl, action)
        case .acquireTask(let task, let pid, let ttl): return try acquire(task, pid, ttl)
        case .heartbeat(let pid, let tasks): return try heartbeat(pid, tasks)
        case .fence(let task, let action): return try fence(task, action)
        case .fulfillTask(let task, let action): return try fulfill(task, action)
        case .releaseTask(let task): return try release(task)
        case .haltTask(let id): return try halt(id)
        case .continueTask(let id): return try resumeHalted(id)
        case .createSchedule(let creation): return ResponseData(schedule: try create(creation))
        case .getSchedule(let id): return ResponseData(schedule: try schedule(id))
        case .deleteSchedule(let id): return try delete(schedule: id)
        case .malformed(_, let reason): throw Refusal(400, reason)
        case .unknown(let kind): throw Refusal(400, "unknown kind \(kind)")
        case .suspendTask, .searchPromises, .searchTasks, .searchSchedules, .startDebugging, .stopDebugging,
            .resetForDebugging, .tick, .snapshot:
            // These are about more than the records of some ids.
            throw Refusal(501, "\(operation.kind) is not served here")
        }
    }
}
