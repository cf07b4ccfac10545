extension PromiseStateMachine {
    /// The task as it is now: over when its promise is, nobody's when its lease has ended.
    func task(_ id: String) throws(Refusal) -> TaskRecord {
        guard let task = records.tasks[id] else { throw Refusal(404, "there is no task \(id)") }
        if task.state != .fulfilled, let promise = records.promises[id], promise.projected(at: now).state != .pending {
            return task.unheld(.fulfilled)
        }
        if task.state == .acquired, let end = task.leaseExpiresAt, end <= now {
            return task.unheld(.pending, dueAt: now)
        }
        return task
    }

    /// The task, if the reference is that of the worker that holds it now.
    func held(_ reference: TaskReference) throws(Refusal) -> TaskRecord {
        let task = try task(reference.id)
        guard task.state == .acquired, task.version == reference.version else {
            let found = "it is \(task.state.rawValue) at version \(task.version)"
            throw Refusal(409, "the task \(task.id) is not held at version \(reference.version): \(found)")
        }
        return task
    }

    // MARK: Offering

    /// Makes a task anybody's, at once or when the time has come.
    mutating func offer(_ task: TaskRecord, at time: Int64) {
        guard let promise = records.promises[task.id] else { return }
        // A timer that has a target is made by clients who only want its deadline kept: there is nothing to do.
        if promise.isTimer {
            records.tasks[task.id] = task.unheld(.pending, dueAt: promise.timeoutAt)
            return
        }
        let time = max(time, promise.tags[PromiseTag.delay].flatMap { Int64($0) } ?? time)
        guard time <= now else {
            records.tasks[task.id] = task.unheld(.pending, dueAt: time)
            return
        }
        var offered = task.unheld(.pending)
        offered.offers += 1
        offered.dueAt = later(rules.pause(offers: offered.offers))
        records.tasks[task.id] = offered
        guard let address = promise.tags[PromiseTag.target] else { return }
        tell(.execute(TaskReference(id: task.id, version: task.version), address: address))
    }

    /// A task is due: it is offered, offered again, or taken from a worker whose lease has ended.
    mutating func wake(_ id: String) {
        guard let task = records.tasks[id], let time = task.wakesAt, time <= now,
            records.promises[id]?.projected(at: now).state == .pending
        else { return }
        offer(task, at: now)
    }

    /// A promise that a task waited for is settled.
    mutating func resume(_ id: String) {
        guard let promise = records.promises[id], promise.projected(at: now).state == .pending,
            var task = try? task(id)
        else { return }
        task.resumes += 1
        if task.state == .suspended {
            offer(task, at: now)
        } else if task.state != .fulfilled {
            records.tasks[id] = task
        }
    }

    private func later(_ milliseconds: Int64) -> Int64 {
        let (time, isOverflow) = now.addingReportingOverflow(milliseconds)
        return isOverflow ? .max : time
    }

    // MARK: Taking

    /// Gives a task to a worker: the only place where the version rises.
    private mutating func lease(_ task: TaskRecord, _ pid: String, _ ttl: Int64) -> TaskRecord {
        let leased = TaskRecord(
            id: task.id,
            state: .acquired,
            version: task.version + 1,
            ttl: ttl,
            pid: pid,
            leaseExpiresAt: later(ttl),
            releases: task.releases
        )
        records.tasks[task.id] = leased
        return leased
    }

    private func checkLease(_ pid: String, _ ttl: Int64) throws(Refusal) {
        if pid.isEmpty || pid.utf8.contains(0) { throw Refusal(400, "a worker's pid is not empty and contains no NUL") }
        if ttl <= 0 { throw Refusal(400, "a lease's ttl is positive") }
    }

    /// The promises of the same branch, in the order of their ids.
    private func preload(_ promise: PromiseRecord) -> [PromiseRecord] {
        guard let branch = promise.tags[PromiseTag.branch], !branch.isEmpty else { return [] }
        return records.promises.values
            .filter { $0.id != promise.id && $0.tags[PromiseTag.branch] == branch }
            .map { $0.projected(at: now) }
            .sorted { $0.id < $1.id }
    }

    mutating func createTask(_ pid: String, _ ttl: Int64, _ action: Request) throws(Refusal) -> ResponseData {
        try checkLease(pid, ttl)
        guard case .createPromise(let creation) = action.operation else {
            throw Refusal(400, reason(action) ?? "the action of task.create is promise.create")
        }
        guard let tags = creation.tags, tags[PromiseTag.target] != nil, tags[PromiseTag.delay] == nil else {
            throw Refusal(400, "task.create needs \(PromiseTag.target), and no \(PromiseTag.delay)")
        }
        let promise = try create(creation)
        guard records.tasks[promise.id] != nil else {
            throw Refusal(422, "the promise \(promise.id) has no target, so it has no task")
        }
        var task = try task(promise.id)
        switch task.state {
        case .pending: task = lease(task, pid, ttl)
        case .fulfilled: break
        case .acquired, .suspended, .halted:
            throw Refusal(409, "the task \(task.id) is \(task.state.rawValue) at version \(task.version)")
        }
        return ResponseData(promise: promise, task: task, preload: preload(promise))
    }

    mutating func acquire(_ reference: TaskReference, _ pid: String, _ ttl: Int64) throws(Refusal) -> ResponseData {
        try checkLease(pid, ttl)
        let task = try task(reference.id)
        guard task.state == .pending, task.version == reference.version else {
            let found = "it is \(task.state.rawValue) at version \(task.version)"
            throw Refusal(409, "the task \(task.id) is not to be had at version \(reference.version): \(found)")
        }
        let promise = try promise(task.id)
        return ResponseData(promise: promise, task: lease(task, pid, ttl), preload: preload(promise))
    }

    // MARK: Holding

    /// Extends the leases of those tasks that the worker holds. The protocol passes over all others, so also over those whose
    /// ids cannot be ids: of them there can be no task.
    mutating func heartbeat(_ pid: String, _ tasks: [TaskReference]) throws(Refusal) -> ResponseData {
        let tasks = tasks.filter { Identifier.isValid($0.id) }
        if rules.isStrict, !Lineage.isOneFamily(tasks.map(\.id)) {
            throw Refusal(400, "the tasks of a heartbeat have one origin")
        }
        for reference in tasks {
            guard var task = try? held(reference), task.pid == pid, let ttl = task.ttl else { continue }
            task.leaseExpiresAt = later(ttl)
            records.tasks[task.id] = task
        }
        return ResponseData()
    }

    /// What is wrong with a request inside a request, if it could not be read.
    private func reason(_ action: Request) -> String? {
        if case .malformed(_, let reason) = action.operation { reason } else { nil }
    }

    mutating func fence(_ reference: TaskReference, _ action: Request) throws(Refusal) -> ResponseData {
        let own = "task.fence is for other promises than the task's own"
        let flaw: String?
        switch action.operation {
        case .createPromise(let creation): flaw = creation.id == reference.id ? own : creation.flaw(rules)
        case .settlePromise(let settlement): flaw = settlement.id == reference.id ? own : settlement.flaw
        default: flaw = reason(action) ?? "the action of task.fence is promise.create or promise.settle"
        }
        if let flaw { throw Refusal(400, flaw) }
        _ = try held(reference)
        return ResponseData(preload: [], action: answer(action))
    }

    /// Nil when the task sleeps; the promises of its branch when it need not.
    mutating func suspend(_ reference: TaskReference, _ actions: [Request]) throws(Refusal) -> [PromiseRecord]? {
        var callbacks: [Callback] = []
        var named: Set<Callback> = []
        for action in actions {
            guard case .registerCallback(let callback) = action.operation, callback.awaiter == reference.id else {
                let shape = "the actions of task.suspend are promise.register_callback for the task itself"
                throw Refusal(400, reason(action) ?? shape)
            }
            if let flaw = flaw(callback) { throw Refusal(400, flaw) }
            if !named.insert(callback).inserted { throw Refusal(400, "\(callback.awaited) is named twice") }
            callbacks.append(callback)
        }
        if callbacks.isEmpty { throw Refusal(400, "task.suspend needs something to wait for") }
        var task = try held(reference)
        var isReady = false
        for callback in callbacks where try awaited(by: callback).state != .pending { isReady = true }
        if isReady {
            task.resumes = 0
            records.tasks[task.id] = task
            return preload(try promise(task.id))
        }
        records.callbacks.formUnion(callbacks)
        records.tasks[task.id] = TaskRecord(id: task.id, state: .suspended, version: task.version)
        return nil
    }

    // MARK: Giving back

    mutating func fulfill(_ reference: TaskReference, _ action: Request) throws(Refusal) -> ResponseData {
        guard case .settlePromise(let settlement) = action.operation, settlement.id == reference.id else {
            throw Refusal(400, reason(action) ?? "the action of task.fulfill is promise.settle of its own promise")
        }
        if let flaw = settlement.flaw { throw Refusal(400, flaw) }
        _ = try held(reference)
        return ResponseData(promise: try settle(settlement))
    }

    /// A worker that cannot do a task gives it back at once, and would be offered it at once, again and again; so who does
    /// so repeatedly has to wait, longer each time.
    mutating func release(_ reference: TaskReference) throws(Refusal) -> ResponseData {
        var task = try held(reference)
        task.releases += 1
        offer(task, at: later(rules.backoff(releases: task.releases)))
        return ResponseData()
    }

    mutating func halt(_ id: String) throws(Refusal) -> ResponseData {
        let task = try task(id)
        if task.state == .fulfilled { throw Refusal(409, "the task \(id) is fulfilled") }
        if task.state != .halted { records.tasks[id] = task.unheld(.halted) }
        return ResponseData()
    }

    mutating func resumeHalted(_ id: String) throws(Refusal) -> ResponseData {
        var task = try task(id)
        guard task.state == .halted else { throw Refusal(409, "the task \(id) is \(task.state.rawValue), not halted") }
        (task.releases, task.offers) = (0, 0)
        offer(task, at: now)
        return ResponseData()
    }
}
