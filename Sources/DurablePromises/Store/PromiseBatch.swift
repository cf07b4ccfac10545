internal import PostgreSQL

/// Requests and events that share one transaction: locked, read, decided and written together.
struct PromiseBatch {
    struct Result: Sendable {
        /// To each item its answer; nil for an event.
        var responses: [Response?]
        /// Whether messages were written.
        var toldSomebody: Bool
    }

    private let items: [RequestQueue.Item]
    private let settings: PromiseStore.Settings

    init(_ items: [RequestQueue.Item], _ settings: PromiseStore.Settings) {
        self.items = items
        self.settings = settings
    }

    /// When it throws, nothing was written, unless the connection was lost during the commit.
    func run(on connection: PostgresConnection) async throws -> Result {
        do {
            let (stored, time) = try await load(connection)
            var machine = PromiseStateMachine(stored: stored, rules: settings.rules)
            let responses = items.map { item -> Response? in
                switch item.work {
                case .request(let request): return machine.answer(request, now: item.time ?? time)
                case .event(let event):
                    machine.handle(event, now: item.time ?? time)
                    return nil
                }
            }
            let outcome = machine.outcome
            let statements = BatchStatements.write(outcome, over: stored)
            let outcomes = try await connection.pipeline(statements + [BatchStatements.commit])
            // The first that failed, not the commit that was skipped for it.
            for outcome in outcomes { _ = try outcome.get() }
            let scheduled = scheduled(outcome, over: stored)
            if scheduled > 0 { settings.didSchedule?(scheduled) }
            return Result(responses: responses, toldSomebody: !outcome.messages.isEmpty)
        } catch {
            await connection.rollBack()
            throw error
        }
    }

    /// How many promises are new because a schedule's time came.
    private func scheduled(_ outcome: PromiseStateMachine.Outcome, over stored: PromiseRecords) -> Int {
        items.count { item in
            guard case .event(.tick(_, let promise)) = item.work else { return false }
            return stored.promises[promise] == nil && outcome.changes.promises[promise] != nil
        }
    }

    private func load(_ connection: PostgresConnection) async throws -> (PromiseRecords, Int64) {
        var ids: Set<String> = []
        var schedules: Set<String> = []
        var preloads: Set<String> = []
        var branches: [String: String] = [:]
        var partitions: Set<Int64> = []
        for item in items {
            partitions.formUnion(item.partitions)
            switch item.work {
            case .request(let request):
                ids.formUnion(request.operation.promiseIDs)
                if let schedule = request.operation.scheduleID { schedules.insert(schedule) }
                if let id = request.operation.preloads { preloads.insert(id) }
                // What one request creates another of this transaction may take.
                if let creation = request.operation.creation, branches[creation.id] == nil {
                    branches[creation.id] = creation.tags?[PromiseTag.branch]
                }
            case .event(let event):
                ids.formUnion(event.promiseIDs)
                if let schedule = event.scheduleID { schedules.insert(schedule) }
            }
        }
        var statements = [BatchStatements.begin, BatchStatements.lock(partitions), BatchStatements.promises(ids)]
        statements.append(BatchStatements.waiting(ids))
        if !schedules.isEmpty { statements.append(BatchStatements.schedules(schedules)) }
        if !preloads.isEmpty {
            let named = preloads.map { ($0, branches[$0] ?? "") }
            statements.append(BatchStatements.branches(Dictionary(uniqueKeysWithValues: named)))
        }
        let outcomes = try await connection.pipeline(statements)
        for outcome in outcomes { _ = try outcome.get() }
        var results = try outcomes.dropFirst().map { try $0.get().rows }[...]

        var time: Int64 = 0
        for row in results.removeFirst() { time = try max(time, row.integer("now")) }
        if case .manual(let now) = settings.clock { time = now() }
        var records = PromiseRecords()
        for row in results.removeFirst() {
            let promise = try PromiseRows.promise(row)
            records.promises[promise.id] = promise
            if row["task_state"] != nil { records.tasks[promise.id] = try PromiseRows.task(row) }
        }
        for row in results.removeFirst() {
            let awaited = try row.text("awaited")
            if let awaiter = row["awaiter"] {
                records.callbacks.insert(Callback(awaited: awaited, awaiter: awaiter))
            } else {
                records.listeners.insert(Listener(awaited: awaited, address: try row.text("address")))
            }
        }
        if !schedules.isEmpty {
            for row in results.removeFirst() {
                let schedule = try PromiseRows.schedule(row)
                records.schedules[schedule.id] = schedule
            }
        }
        if !preloads.isEmpty {
            for row in results.removeFirst() {
                let promise = try PromiseRows.promise(row)
                if records.promises[promise.id] == nil { records.promises[promise.id] = promise }
            }
        }
        return (records, time)
    }
}

extension PromiseOperation {
    /// The promise that it would create.
    fileprivate var creation: PromiseCreation? {
        switch self {
        case .createPromise(let creation): creation
        case .createTask(_, _, let action), .fence(_, let action): action.operation.creation
        default: nil
        }
    }
}
