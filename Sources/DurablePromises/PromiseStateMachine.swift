/// The rules of promises and tasks, without a store: what a request is answered, given what is stored and the time.
///
/// They are those of the Resonate protocol, version 2026-04-01. Guards answer in the protocol's order: 400 before 404
/// before 409 and 422. Every answer is about the records as they are at that time
/// (``PromiseRecord/projected(at:)``); the end of a lease is seen at that very moment, not by a later sweep.
public struct PromiseStateMachine: Sendable {
    /// What a request comes to.
    public struct Decision: Sendable, Hashable {
        public var response: Response
        /// The records to write, in the transaction in which they were read: those that are new or different.
        public var changes: PromiseRecords
        public var messages: [PromiseMessage]
    }

    private struct Refusal: Error {
        let status: Int
        let message: String

        init(_ status: Int, _ message: String) {
            self.status = status
            self.message = message
        }
    }

    private var records: PromiseRecords
    private let now: Int64

    private init(_ records: PromiseRecords, now: Int64) {
        self.records = records
        self.now = now
    }

    /// Decides a request.
    ///
    /// - Parameters:
    ///   - stored: the promises and tasks of all ids that the request names, those that exist.
    ///   - now: milliseconds since 1970.
    public static func decide(_ request: Request, stored: PromiseRecords, now: Int64) -> Decision {
        var machine = PromiseStateMachine(stored.projected(at: now), now: now)
        let response = machine.answer(request)
        let promises = machine.records.promises.values.filter { stored.promises[$0.id] != $0 }
        let tasks = machine.records.tasks.values.filter { stored.tasks[$0.id] != $0 }
        return Decision(
            response: response,
            changes: PromiseRecords(promises: promises, tasks: tasks),
            messages: tasks.filter { $0.state == .pending }.sorted { $0.id < $1.id }.compactMap { task in
                machine.records.promises[task.id]?.tags[PromiseTag.target].map {
                    .execute(TaskReference(id: task.id, version: task.version), target: $0)
                }
            }
        )
    }

    private mutating func answer(_ request: Request) -> Response {
        do throws(Refusal) {
            guard request.head.version == Request.currentVersion else {
                throw Refusal(400, "the protocol's version is \(Request.currentVersion)")
            }
            return Response(to: request, data: try perform(request.operation))
        } catch {
            return Response(to: request, status: error.status, error: error.message)
        }
    }

    private mutating func perform(_ operation: PromiseOperation) throws(Refusal) -> ResponseData {
        switch operation {
        case .getPromise(let id): ResponseData(promise: try promise(id))
        case .createPromise(let creation): ResponseData(promise: try create(creation))
        case .settlePromise(let settlement): ResponseData(promise: try settle(settlement))
        case .getTask(let id): ResponseData(task: try task(id))
        case .createTask(let pid, let ttl, let action): try createTask(pid, ttl, action.request.operation)
        case .acquireTask(let task, let pid, let ttl): try acquire(task, pid, ttl)
        case .heartbeat(let pid, let tasks): heartbeat(pid, tasks)
        case .fence(let task, let action): try fence(task, action.request)
        case .fulfillTask(let task, let action): try fulfill(task, action.request.operation)
        case .releaseTask(let task): try release(task)
        case .malformed(_, let reason): throw Refusal(400, reason)
        case .unknown(let kind): throw Refusal(400, "unknown kind \(kind)")
        }
    }

    // MARK: Promises

    private func promise(_ id: String) throws(Refusal) -> PromiseRecord {
        guard let promise = records.promises[id] else { throw Refusal(404, "there is no promise \(id)") }
        return promise
    }

    private mutating func create(_ creation: PromiseCreation) throws(Refusal) -> PromiseRecord {
        if let flaw = creation.flaw { throw Refusal(400, flaw) }
        if let existing = records.promises[creation.id] { return existing }
        let isLate = creation.timeoutAt <= now
        let promise = PromiseRecord(
            id: creation.id,
            param: creation.param ?? PromiseValue(),
            tags: creation.tags ?? [:],
            timeoutAt: creation.timeoutAt,
            createdAt: isLate ? creation.timeoutAt : now
        ).projected(at: now)
        records.promises[promise.id] = promise
        if promise.tags[PromiseTag.target] != nil {
            let state: TaskState = isLate ? .fulfilled : .pending
            records.tasks[promise.id] = TaskRecord(id: promise.id, state: state, version: 0)
        }
        return promise
    }

    private mutating func settle(_ settlement: PromiseSettlement) throws(Refusal) -> PromiseRecord {
        if let flaw = settlement.flaw { throw Refusal(400, flaw) }
        var promise = try promise(settlement.id)
        guard promise.state == .pending else { return promise }
        promise.state = settlement.state
        promise.value = settlement.value ?? PromiseValue()
        promise.settledAt = now
        records.promises[promise.id] = promise
        if let task = records.tasks[promise.id] { records.tasks[promise.id] = task.unheld(.fulfilled) }
        return promise
    }

    // MARK: Tasks

    private func task(_ id: String) throws(Refusal) -> TaskRecord {
        guard let task = records.tasks[id] else { throw Refusal(404, "there is no task \(id)") }
        return task
    }

    /// The task, if the reference is that of the worker that holds it now.
    private func held(_ reference: TaskReference) throws(Refusal) -> TaskRecord {
        let task = try task(reference.id)
        guard task.state == .acquired, task.version == reference.version else {
            let found = "it is \(task.state.rawValue) at version \(task.version)"
            throw Refusal(409, "the task \(task.id) is not held at version \(reference.version): \(found)")
        }
        return task
    }

    /// Gives a pending task to a worker: the only place where the version rises.
    private mutating func lease(_ task: TaskRecord, _ pid: String, _ ttl: Int64) -> TaskRecord {
        let (end, isOverflow) = now.addingReportingOverflow(ttl)
        let leased = TaskRecord(
            id: task.id,
            state: .acquired,
            version: task.version + 1,
            ttl: ttl,
            pid: pid,
            leaseExpiresAt: isOverflow ? .max : end
        )
        records.tasks[task.id] = leased
        return leased
    }

    private func checkLease(_ pid: String, _ ttl: Int64) throws(Refusal) {
        if pid.isEmpty || pid.utf8.contains(0) { throw Refusal(400, "a worker's pid is not empty and contains no NUL") }
        if ttl <= 0 { throw Refusal(400, "a lease's ttl is positive") }
    }

    private mutating func createTask(
        _ pid: String,
        _ ttl: Int64,
        _ action: PromiseOperation
    ) throws(Refusal) -> ResponseData {
        try checkLease(pid, ttl)
        guard case .createPromise(let creation) = action else {
            throw Refusal(400, "the action of task.create is promise.create")
        }
        guard let tags = creation.tags, tags[PromiseTag.target] != nil, tags[PromiseTag.delay] == nil else {
            throw Refusal(400, "task.create needs \(PromiseTag.target), and no \(PromiseTag.delay)")
        }
        let promise = try create(creation)
        guard var task = records.tasks[promise.id] else {
            throw Refusal(422, "the promise \(promise.id) has no target, so it has no task")
        }
        switch task.state {
        case .pending: task = lease(task, pid, ttl)
        case .fulfilled: break
        case .acquired, .suspended, .halted:
            throw Refusal(409, "the task \(task.id) is \(task.state.rawValue) at version \(task.version)")
        }
        return ResponseData(promise: promise, task: task, preload: [])
    }

    private mutating func acquire(
        _ reference: TaskReference,
        _ pid: String,
        _ ttl: Int64
    ) throws(Refusal) -> ResponseData {
        try checkLease(pid, ttl)
        let task = try task(reference.id)
        guard task.state == .pending, task.version == reference.version else {
            let found = "it is \(task.state.rawValue) at version \(task.version)"
            throw Refusal(409, "the task \(task.id) is not to be had at version \(reference.version): \(found)")
        }
        return ResponseData(promise: try promise(task.id), task: lease(task, pid, ttl), preload: [])
    }

    private mutating func heartbeat(_ pid: String, _ tasks: [TaskReference]) -> ResponseData {
        for reference in tasks {
            guard var task = try? held(reference), task.pid == pid, let ttl = task.ttl else { continue }
            let (end, isOverflow) = now.addingReportingOverflow(ttl)
            task.leaseExpiresAt = isOverflow ? .max : end
            records.tasks[task.id] = task
        }
        return ResponseData()
    }

    private static let ownFence = "task.fence is for other promises than the task's own"

    private mutating func fence(_ reference: TaskReference, _ action: Request) throws(Refusal) -> ResponseData {
        let flaw: String?
        switch action.operation {
        case .createPromise(let creation): flaw = creation.id == reference.id ? Self.ownFence : creation.flaw
        case .settlePromise(let settlement): flaw = settlement.id == reference.id ? Self.ownFence : settlement.flaw
        default: flaw = "the action of task.fence is promise.create or promise.settle"
        }
        if let flaw { throw Refusal(400, flaw) }
        _ = try held(reference)
        return ResponseData(preload: [], action: answer(action))
    }

    private mutating func fulfill(_ reference: TaskReference, _ action: PromiseOperation) throws(Refusal)
        -> ResponseData
    {
        guard case .settlePromise(let settlement) = action, settlement.id == reference.id else {
            throw Refusal(400, "the action of task.fulfill is promise.settle of its own promise")
        }
        if let flaw = settlement.flaw { throw Refusal(400, flaw) }
        _ = try held(reference)
        return ResponseData(promise: try settle(settlement))
    }

    private mutating func release(_ reference: TaskReference) throws(Refusal) -> ResponseData {
        records.tasks[reference.id] = try held(reference).unheld(.pending)
        return ResponseData()
    }
}
