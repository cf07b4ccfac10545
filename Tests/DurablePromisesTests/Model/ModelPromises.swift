@testable import DurablePromises

/// What a store should do, without a database: all records in memory, the state machine, and a clock that a test sets.
///
/// The state machine is given every record there is, so that a store that reads or writes too few of them differs.
struct ModelPromises {
    var records = PromiseRecords()
    /// What is to be told, by key.
    var messages: [String: OutgoingMessage] = [:]
    /// Milliseconds since 1970.
    var now: Int64
    let rules: PromiseRules

    init(now: Int64, rules: PromiseRules = PromiseRules()) {
        self.now = now
        self.rules = rules
    }

    mutating func answer(_ request: Request) -> Response {
        switch request.operation {
        case .searchPromises, .searchTasks, .searchSchedules: search(request)
        default: request.operation.partitions == nil ? refuse(request) : decide { $0.answer(request, now: $1) }
        }
    }

    /// What names nothing that can be stored finds nothing.
    private func refuse(_ request: Request) -> Response {
        var machine = PromiseStateMachine(stored: PromiseRecords(), rules: rules)
        return machine.answer(request, now: now)
    }

    /// As one transaction, where a store makes one of them.
    mutating func answer(_ requests: [Request]) -> [Response] {
        guard requests.count > 1, requests.allSatisfy({ $0.operation.partitions != nil }) else {
            var responses: [Response] = []
            for request in requests { responses.append(answer(request)) }
            return responses
        }
        return decide { machine, now in requests.map { machine.answer($0, now: now) } }
    }

    /// Lets happen what is due.
    mutating func fireTimers() {
        for event in dueEvents { decide { $0.handle(event, now: $1) } }
    }

    private mutating func decide<Result>(_ body: (inout PromiseStateMachine, Int64) -> Result) -> Result {
        var machine = PromiseStateMachine(stored: records, rules: rules)
        let result = body(&machine, now)
        records = machine.records
        messages.merge(machine.outcome.messages) { $1 }
        return result
    }

    private var dueEvents: [PromiseEvent] {
        var events: [PromiseEvent] = []
        for promise in records.promises.values.sorted(by: { $0.id < $1.id }) {
            if promise.state == .pending, promise.isExternal, promise.timeoutAt <= now {
                events.append(.deadline(promise: promise.id))
            }
            if let time = records.tasks[promise.id]?.wakesAt, time <= now { events.append(.wake(task: promise.id)) }
        }
        for schedule in records.schedules.values.sorted(by: { $0.id < $1.id }) where schedule.nextRunAt <= now {
            events.append(.tick(schedule: schedule.id, promise: schedule.promiseId(at: schedule.nextRunAt)))
        }
        return events
    }

    // MARK: Searches

    private func search(_ request: Request) -> Response {
        guard request.head.version == Request.currentVersion else {
            return Response(to: request, status: 400, error: "the protocol's version is \(Request.currentVersion)")
        }
        switch request.operation {
        case .searchPromises(let search):
            let found = records.promises.values.map { $0.projected(at: now) }.filter {
                search.matches($0.state, $0.tags)
            }
            return page(request, search, found, \.id, PromiseState.allCases.map(\.rawValue)) {
                ResponseData(promises: $0, cursor: $1)
            }
        case .searchTasks(let search):
            let tasks = records.promises.values.compactMap { promise -> TaskRecord? in
                guard let task = projectedTask(promise) else { return nil }
                return search.matches(task.state, promise.tags) ? task : nil
            }
            return page(request, search, tasks, \.id, TaskState.allCases.map(\.rawValue)) {
                ResponseData(tasks: $0, cursor: $1)
            }
        case .searchSchedules(let search):
            let found = records.schedules.values.filter { search.matches(PromiseState?.none, $0.promiseTags) }
            return page(request, search, found, \.id, nil, limit: 10) { ResponseData(schedules: $0, cursor: $1) }
        default: preconditionFailure("\(request.operation.kind) is no search")
        }
    }

    private func projectedTask(_ promise: PromiseRecord) -> TaskRecord? {
        var machine = PromiseStateMachine(stored: records, rules: rules)
        return machine.answer(Request(.getTask(id: promise.id)), now: now).data.task
    }

    private func page<Record>(
        _ request: Request,
        _ search: PromiseSearch,
        _ found: [Record],
        _ id: (Record) -> String,
        _ states: [String]?,
        limit: Int64 = 100,
        _ data: ([Record], String?) -> ResponseData
    ) -> Response {
        if let flaw = search.flaw(states: states) { return Response(to: request, status: 400, error: flaw) }
        let limit = Int(search.limit ?? limit)
        // Bytes, not characters, are in order.
        let page =
            found
            .filter { Array((search.cursor ?? "").utf8).lexicographicallyPrecedes(Array(id($0).utf8)) }
            .sorted { Array(id($0).utf8).lexicographicallyPrecedes(Array(id($1).utf8)) }
            .prefix(limit)
        return Response(to: request, data: data(Array(page), page.count < limit ? nil : page.last.map(id)))
    }
}

extension PromiseSearch {
    fileprivate func matches(_ state: (some RawRepresentable<String>)?, _ tags: [String: String]) -> Bool {
        (self.state == nil || self.state == state?.rawValue) && self.tags.allSatisfy { tags[$0.key] == $0.value }
    }
}
