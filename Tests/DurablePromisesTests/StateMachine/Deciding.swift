@testable import DurablePromises

/// What came of one request or event, on records that a test states.
struct Decision {
    var response: Response
    var outcome: PromiseStateMachine.Outcome
    /// All records afterwards.
    var records: PromiseRecords

    var status: Int { response.status }
    var messages: [OutgoingMessage] { outcome.messages.values.sorted { $0.key < $1.key } }

    /// Whether nothing is to be written.
    var changesNothing: Bool {
        outcome.changes == PromiseRecords() && outcome.removedCallbacks.isEmpty && outcome.removedListeners.isEmpty
            && outcome.removedSchedules.isEmpty && outcome.messages.isEmpty
    }
}

/// The time at which tests ask, in milliseconds since 1970.
let noon: Int64 = 1_000_000

func decide(
    _ request: Request,
    _ stored: PromiseRecords = PromiseRecords(),
    now: Int64 = noon,
    rules: PromiseRules = PromiseRules()
) -> Decision {
    var machine = PromiseStateMachine(stored: stored, rules: rules)
    let response = machine.answer(request, now: now)
    return Decision(response: response, outcome: machine.outcome, records: machine.records)
}

func decide(
    _ operation: PromiseOperation,
    _ stored: PromiseRecords = PromiseRecords(),
    now: Int64 = noon,
    rules: PromiseRules = PromiseRules()
) -> Decision {
    decide(Request(operation), stored, now: now, rules: rules)
}

/// What comes of an event; it has no answer.
func handle(_ event: PromiseEvent, _ stored: PromiseRecords, now: Int64 = noon) -> Decision {
    var machine = PromiseStateMachine(stored: stored)
    machine.handle(event, now: now)
    return Decision(response: Response(to: Request(.snapshot)), outcome: machine.outcome, records: machine.records)
}

// MARK: Records

let workers = "poll://any@workers"
let targeted = [PromiseTag.target: workers]
let external = [PromiseTag.external: "true"]

extension PromiseRecords {
    /// A pending promise `p` whose task is in that state at version 3, held by `me` until a moment later; nil for a promise
    /// that has none. `p:1` is pending and may be waited for.
    static func withTask(_ state: TaskState?, waiting: Bool = false) -> PromiseRecords {
        let isSettled = state == .fulfilled
        let promise = PromiseRecord(
            id: "p", state: isSettled ? .resolved : .pending, tags: state == nil ? [:] : targeted, timeoutAt: .max,
            createdAt: 1, settledAt: isSettled ? 2 : nil
        )
        let other = PromiseRecord(id: "p:1", tags: external, timeoutAt: .max, createdAt: 1)
        guard let state else { return PromiseRecords(promises: [promise, other]) }
        var task = TaskRecord(id: "p", state: state, version: 3)
        switch state {
        case .pending: task.dueAt = noon + 30
        case .acquired: (task.ttl, task.pid, task.leaseExpiresAt) = (60, "me", noon + 30)
        case .suspended, .halted, .fulfilled: break
        }
        let callbacks = waiting ? [Callback(awaited: "p:1", awaiter: "p")] : []
        return PromiseRecords(promises: [promise, other], tasks: [task], callbacks: callbacks)
    }

    /// With a change to a promise.
    func with(_ id: String, _ change: (inout PromiseRecord) -> Void) -> PromiseRecords {
        var records = self
        if var promise = records.promises[id] {
            change(&promise)
            records.promises[id] = promise
        }
        return records
    }

    /// With a change to the task of `p`.
    func withTask(_ change: (inout TaskRecord) -> Void) -> PromiseRecords {
        var records = self
        if var task = records.tasks["p"] {
            change(&task)
            records.tasks["p"] = task
        }
        return records
    }
}

// MARK: Requests

func creating(_ id: String, _ tags: [String: String]? = nil, timeoutAt: Int64 = .max) -> Request {
    Request(.createPromise(PromiseCreation(id: id, timeoutAt: timeoutAt, tags: tags)))
}

func settling(_ id: String, _ state: PromiseState = .resolved, _ value: String? = nil) -> Request {
    Request(.settlePromise(PromiseSettlement(id: id, state: state, value: value.map { PromiseValue(data: $0) })))
}

func awaiting(_ awaited: String, by awaiter: String) -> Request {
    Request(.registerCallback(Callback(awaited: awaited, awaiter: awaiter)))
}
