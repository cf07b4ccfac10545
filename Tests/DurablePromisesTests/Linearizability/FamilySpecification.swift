@testable import DurablePromises

/// What a family of promises answers to one request after the other, by the protocol's tables, written down once more: it
/// knows nothing of the state machine that it checks.
///
/// A lease ends, and the deadline of the first promise passes, at the moment that the clock says; those that are waited for
/// have no deadline.
struct FamilySpecification: SequentialSpecification {
    enum Input: Sendable, Hashable {
        case request(PromiseOperation)
        /// The clock is set. It has no answer.
        case time(Int64)
    }

    typealias State = FamilyState
    typealias Output = Response

    /// An answer that is due: its status, and what it shows.
    private struct Due {
        var status: Int
        var promise: Int?
        var showsTask = false
        var inner: (status: Int, promise: Int?)?

        init(_ status: Int, promise: Int? = nil, showsTask: Bool = false, inner: (Int, Int?)? = nil) {
            self.status = status
            self.promise = promise
            self.showsTask = showsTask
            self.inner = inner
        }
    }

    func step(_ state: FamilyState, _ input: Input, _ output: Response?) -> FamilyState? {
        var state = state
        switch input {
        case .time(let time):
            state.now = max(time, state.now ?? time)
            look(&state)
            return state
        case .request(let operation):
            look(&state)
            let due = answer(operation, &state)
            guard let output else { return state }
            return isAnswered(output, due, &state) ? state : nil
        }
    }

    // MARK: Answers

    private func isAnswered(_ output: Response, _ due: Due, _ state: inout FamilyState) -> Bool {
        guard output.status == due.status, shows(output.data.promise, due.promise, &state) else { return false }
        if due.showsTask, let task = state.task {
            let shown = output.data.task
            guard shown?.state == task.state, shown?.version == task.version, shown?.resumes == task.resumes,
                shown?.ttl == task.ttl, shown?.pid == task.pid
            else { return false }
        } else if output.data.task != nil {
            return false
        }
        guard let inner = due.inner else { return output.data.action == nil }
        return output.data.action?.status == inner.status
            && shows(output.data.action?.data.promise, inner.promise, &state)
    }

    /// Whether an answer shows a promise as it is. What nobody knew is known then.
    private func shows(_ shown: PromiseRecord?, _ place: Int?, _ state: inout FamilyState) -> Bool {
        guard let place, var promise = state.promises[place] else { return shown == nil }
        guard let shown, FamilyState.place(shown.id) == place, shown.state == promise.state,
            shown.param.data == promise.param, shown.value.data == promise.value, shown.tags == promise.tags,
            shown.timeoutAt == promise.timeoutAt, shown.createdAt == promise.createdAt ?? shown.createdAt,
            (shown.settledAt == nil) == (promise.state == .pending),
            shown.settledAt == promise.settledAt ?? shown.settledAt
        else { return false }
        promise.createdAt = shown.createdAt
        promise.settledAt = shown.settledAt
        state.promises[place] = promise
        return true
    }

    // MARK: The clock

    /// What has come to its end by now.
    private func look(_ state: inout FamilyState) {
        guard let now = state.now else { return }
        if let promise = state.promises[0], promise.state == .pending, promise.timeoutAt <= now {
            settle(0, .rejectedTimedout, nil, at: promise.timeoutAt, &state)
        }
        if let end = state.task?.leaseEndsAt, end <= now { state.task?.letGo(.pending) }
    }

    // MARK: Requests

    private func answer(_ operation: PromiseOperation, _ state: inout FamilyState) -> Due {
        switch operation {
        case .getPromise(let id): return show(id, state)
        case .createPromise(let creation): return create(creation, &state)
        case .settlePromise(let settlement): return settle(settlement, &state)
        case .registerCallback(let callback):
            guard let place = FamilyState.place(callback.awaited), let awaited = state.promises[place] else {
                return Due(404)
            }
            guard let awaiter = state.promises[0] else { return Due(422) }
            if awaited.state == .pending, awaiter.state == .pending { state.awaited.insert(place) }
            return Due(200, promise: place)
        case .getTask: return state.task == nil ? Due(404) : Due(200, showsTask: true)
        case .createTask(let pid, let ttl, let action):
            guard case .createPromise(let creation) = action.operation else { return Due(400) }
            _ = create(creation, &state)
            switch state.task?.state {
            case .pending: lease(pid, ttl, &state)
            case .fulfilled: break
            default: return Due(409)
            }
            return Due(200, promise: 0, showsTask: true)
        case .acquireTask(let task, let pid, let ttl):
            guard let found = state.task else { return Due(404) }
            guard found.state == .pending, found.version == task.version else { return Due(409) }
            lease(pid, ttl, &state)
            return Due(200, promise: 0, showsTask: true)
        case .heartbeat(let pid, let tasks):
            if tasks.contains(where: { isHeld($0, state) }), state.task?.pid == pid { extend(&state) }
            return Due(200)
        case .getSchedule, .deleteSchedule, .createSchedule, .searchPromises, .searchTasks, .searchSchedules,
            .registerListener, .startDebugging, .stopDebugging, .resetForDebugging, .tick, .snapshot, .malformed,
            .unknown:
            preconditionFailure("\(operation.kind) is not specified")
        case .haltTask:
            guard let task = state.task else { return Due(404) }
            if task.state == .fulfilled { return Due(409) }
            state.task?.letGo(.halted)
            return Due(200)
        case .continueTask:
            guard let task = state.task else { return Due(404) }
            guard task.state == .halted else { return Due(409) }
            state.task?.letGo(.pending)
            return Due(200)
        case .fence(let task, _), .suspendTask(let task, _), .fulfillTask(let task, _), .releaseTask(let task):
            if state.task == nil { return Due(404) }
            guard isHeld(task, state) else { return Due(409) }
            return answerHolder(operation, &state)
        }
    }

    /// To the worker that holds the task.
    private func answerHolder(_ operation: PromiseOperation, _ state: inout FamilyState) -> Due {
        switch operation {
        case .fence(_, let action):
            let inner = answer(action.operation, &state)
            return Due(200, inner: (inner.status, inner.promise))
        case .fulfillTask(_, let action): return answer(action.operation, &state)
        case .releaseTask:
            state.task?.letGo(.pending)
            return Due(200)
        case .suspendTask(_, let actions):
            var places: Set<Int> = []
            var isReady = false
            for action in actions {
                guard case .registerCallback(let callback) = action.operation,
                    let place = FamilyState.place(callback.awaited), let awaited = state.promises[place]
                else { return Due(422) }
                places.insert(place)
                if awaited.state != .pending { isReady = true }
            }
            state.task?.resumes = 0
            if isReady { return Due(300) }
            state.task?.letGo(.suspended)
            state.awaited.formUnion(places)
            return Due(200)
        default: preconditionFailure("\(operation.kind) is not for the holder of a task")
        }
    }

    // MARK: Promises

    private func show(_ id: String, _ state: FamilyState) -> Due {
        guard let place = FamilyState.place(id), state.promises[place] != nil else { return Due(404) }
        return Due(200, promise: place)
    }

    private func create(_ creation: PromiseCreation, _ state: inout FamilyState) -> Due {
        guard let place = FamilyState.place(creation.id) else { preconditionFailure("\(creation.id) is of no family") }
        guard state.promises[place] == nil else { return Due(200, promise: place) }
        state.promises[place] = FamilyState.Promise(
            param: creation.param?.data, tags: creation.tags ?? [:], timeoutAt: creation.timeoutAt, createdAt: state.now
        )
        if place == 0 { state.task = FamilyState.Work() }
        if let now = state.now, creation.timeoutAt <= now {
            state.promises[place]?.createdAt = creation.timeoutAt
            settle(place, .rejectedTimedout, nil, at: creation.timeoutAt, &state)
        }
        return Due(200, promise: place)
    }

    private func settle(_ settlement: PromiseSettlement, _ state: inout FamilyState) -> Due {
        guard let place = FamilyState.place(settlement.id), let promise = state.promises[place] else { return Due(404) }
        if promise.state == .pending { settle(place, settlement.state, settlement.value?.data, at: state.now, &state) }
        return Due(200, promise: place)
    }

    private func settle(
        _ place: Int,
        _ end: PromiseState,
        _ value: String?,
        at time: Int64?,
        _ state: inout FamilyState
    ) {
        state.promises[place]?.state = end
        state.promises[place]?.value = value
        state.promises[place]?.settledAt = time
        if place == 0 {
            state.task?.letGo(.fulfilled)
            state.awaited = []
        } else if state.awaited.remove(place) != nil, state.promises[0]?.state == .pending {
            state.task?.resumes += 1
            if state.task?.state == .suspended { state.task?.state = .pending }
        }
    }

    // MARK: The task

    private func isHeld(_ reference: TaskReference, _ state: FamilyState) -> Bool {
        state.task?.state == .acquired && state.task?.version == reference.version
    }

    private func lease(_ pid: String, _ ttl: Int64, _ state: inout FamilyState) {
        state.task?.version += 1
        state.task?.state = .acquired
        state.task?.resumes = 0
        state.task?.pid = pid
        state.task?.ttl = ttl
        extend(&state)
    }

    private func extend(_ state: inout FamilyState) {
        guard let now = state.now, let ttl = state.task?.ttl else { return }
        state.task?.leaseEndsAt = now + ttl
    }
}
