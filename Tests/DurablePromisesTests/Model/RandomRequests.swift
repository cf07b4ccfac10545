import TestSupport

@testable import DurablePromises

/// Requests that meet each other: few ids, versions that are right more often than not, and here and there nonsense.
struct RandomRequests {
    var random: SplitMix
    private var texts: RandomJSON

    static let roots = ["a", "b", "ö"]
    static let ids = roots.flatMap { [$0, "\($0):1", "\($0):2", "\($0):1.1", "\($0).3"] } + ["c"]
    static let schedules = ["s", "t", "u"]
    static let addresses = ["poll://any@g", "poll://any@g/x", "poll://uni@g/1", "http://127.0.0.1:9/x"]
    static let workers = ["w1", "w2", "w3"]

    init(seed: UInt64) {
        random = SplitMix(seed: seed)
        texts = RandomJSON(seed: seed)
    }

    mutating func chance(_ percent: Int) -> Bool {
        Int.random(in: 0..<100, using: &random) < percent
    }

    mutating func any<Element>(_ elements: [Element]) -> Element {
        elements[Int.random(in: 0..<elements.count, using: &random)]
    }

    private mutating func number(_ range: ClosedRange<Int64>) -> Int64 {
        Int64.random(in: range, using: &random)
    }

    /// How far the clock goes on, in milliseconds.
    mutating func pause() -> Int64 {
        switch Int.random(in: 0..<100, using: &random) {
        case 0..<60: 0
        case 60..<85: number(1...20)
        case 85..<96: number(20...300)
        default: number(300...10_000)
        }
    }

    mutating func request(_ model: ModelPromises) -> Request {
        let head = Request.Head(
            corrId: "\(number(0...999_999))", version: chance(1) ? "2025-01-01" : Request.currentVersion
        )
        return Request(operation(model), head: head)
    }

    private mutating func operation(_ model: ModelPromises) -> PromiseOperation {
        switch Int.random(in: 0..<128, using: &random) {
        case 0..<14: .createPromise(creation(model))
        case 14..<22: .settlePromise(settlement(any(Self.ids)))
        case 22..<27: .getPromise(id: any(Self.ids))
        case 27..<33: .registerCallback(callback(awaiter: any(Self.ids), model))
        case 33..<38:
            .registerListener(Listener(awaited: any(Self.ids), address: chance(3) ? "?" : any(Self.addresses)))
        case 38..<41: .searchPromises(search(PromiseState.allCases.map(\.rawValue)))
        case 41..<44: .getTask(id: any(Self.ids))
        case 44..<55:
            .createTask(pid: worker(), ttl: ttl(), action: Request(.createPromise(creation(model, isTask: true))))
        case 55..<68: .acquireTask(task(model, [.pending, .acquired]), pid: worker(), ttl: ttl())
        case 68..<75: .heartbeat(pid: worker(), tasks: (0..<number(0...3)).map { _ in task(model, [.acquired]) })
        case 75..<84: .fence(task(model, [.acquired]), action: fenced(model))
        case 84..<97: suspension(model)
        case 97..<102: fulfilment(model)
        case 102..<108: .releaseTask(task(model, [.acquired]))
        case 108..<111: .haltTask(id: task(model, [.acquired, .pending, .suspended]).id)
        case 111..<115: .continueTask(id: task(model, [.halted]).id)
        case 115..<117: .searchTasks(search(TaskState.allCases.map(\.rawValue)))
        case 117..<120: .createSchedule(scheduleCreation())
        case 120..<121: .getSchedule(id: any(Self.schedules))
        case 121..<123: .deleteSchedule(id: any(Self.schedules))
        case 123..<124: .searchSchedules(search([]))
        case 124..<125: .getPromise(id: any(["", "a\0", "o\u{308}:1"]))
        case 125..<126: .malformed(kind: "promise.get", reason: "no")
        case 126..<127: .unknown(kind: "promise.delete")
        default: .acquireTask(TaskReference(id: any(Self.ids), version: 0), pid: "", ttl: 0)
        }
    }

    // MARK: What requests are made of

    private mutating func worker() -> String { any(Self.workers) }

    private mutating func ttl() -> Int64 {
        chance(10) ? 60_000 : number(chance(2) ? 0...1 : 1...300)
    }

    /// A task at a version: more often than not one that is in one of those states, as it is.
    private mutating func task(_ model: ModelPromises, _ states: [TaskState]) -> TaskReference {
        let candidates = model.records.tasks.values.filter { states.contains($0.state) }.sorted { $0.id < $1.id }
        if chance(80), !candidates.isEmpty {
            let task = any(candidates)
            return TaskReference(id: task.id, version: task.version + (chance(5) ? number(-1...1) : 0))
        }
        let id = any(Self.ids)
        return TaskReference(id: id, version: model.records.tasks[id]?.version ?? number(0...2))
    }

    private mutating func value() -> PromiseValue? {
        if chance(30) { return nil }
        if chance(1) { return PromiseValue(data: "a\0") }
        let text = texts.string().replacing("\0", with: "")
        return PromiseValue(headers: chance(30) ? ["h": text] : nil, data: chance(80) ? text : nil)
    }

    private mutating func creation(_ model: ModelPromises, isTask: Bool = false) -> PromiseCreation {
        let id = any(Self.ids)
        let timeout: Int64 =
            switch Int.random(in: 0..<20, using: &random) {
            case 0..<7: .max
            case 7..<12: model.now + number(1...200)
            case 12..<18: model.now + number(200...5000)
            case 18: max(0, model.now - number(0...50))
            default: number(-1...1)
            }
        return PromiseCreation(id: id, timeoutAt: timeout, param: value(), tags: tags(id, model, isTask))
    }

    private mutating func tags(_ id: String, _ model: ModelPromises, _ isTask: Bool) -> [String: String]? {
        var tags: [String: String] = [:]
        if isTask ? chance(97) : chance(50) { tags[PromiseTag.target] = chance(2) ? "nowhere" : any(Self.addresses) }
        if chance(25) { tags[PromiseTag.external] = any(["true", "true", "false"]) }
        if chance(8) { tags[PromiseTag.timer] = "true" }
        if chance(15) { tags[PromiseTag.scope] = any(["global", "local"]) }
        if chance(isTask ? 2 : 10) { tags[PromiseTag.delay] = "\(model.now + number(-10...300))" }
        let root = Lineage.partition(id)
        if chance(30) { tags[PromiseTag.origin] = chance(3) ? "other" : root }
        if chance(50) { tags[PromiseTag.branch] = any([root, id, root]) }
        if chance(10) { tags[PromiseTag.parent] = root }
        if chance(30) { tags[any(["x", "y"])] = any(["1", "2"]) }
        return tags.isEmpty && chance(50) ? nil : tags
    }

    private mutating func settlement(_ id: String) -> PromiseSettlement {
        PromiseSettlement(
            id: id, state: chance(4) ? .pending : any([.resolved, .rejected, .rejectedCanceled]), value: value())
    }

    private mutating func callback(awaiter: String, _ model: ModelPromises) -> Callback {
        let family = Self.ids.filter { Lineage.partition($0) == Lineage.partition(awaiter) }
        return Callback(awaited: chance(5) || family.isEmpty ? any(Self.ids) : any(family), awaiter: awaiter)
    }

    private mutating func fenced(_ model: ModelPromises) -> Request {
        switch Int.random(in: 0..<20, using: &random) {
        case 0..<10: Request(.createPromise(creation(model)))
        case 10..<19: Request(.settlePromise(settlement(any(Self.ids))))
        default: Request(.getPromise(id: any(Self.ids)))
        }
    }

    private mutating func suspension(_ model: ModelPromises) -> PromiseOperation {
        let task = task(model, [.acquired])
        let actions = (0..<number(chance(3) ? 0...1 : 1...3)).map { _ in
            chance(97) ? PromiseOperation.registerCallback(callback(awaiter: task.id, model)) : .getPromise(id: task.id)
        }
        var distinct: [PromiseOperation] = []
        // Those that nobody may wait for would leave few that succeed.
        for action in actions where chance(10) || !distinct.contains(action) && isAwaitable(action, by: task.id, model)
        {
            distinct.append(action)
        }
        return .suspendTask(task, actions: distinct.map { Request($0) })
    }

    private func isAwaitable(_ action: PromiseOperation, by id: String, _ model: ModelPromises) -> Bool {
        guard case .registerCallback(let callback) = action else { return true }
        return callback.awaited != id && model.records.promises[callback.awaited]?.isExternal ?? false
    }

    private mutating func fulfilment(_ model: ModelPromises) -> PromiseOperation {
        let task = task(model, [.acquired])
        return .fulfillTask(task, action: Request(.settlePromise(settlement(chance(95) ? task.id : any(Self.ids)))))
    }

    private mutating func search(_ states: [String]) -> PromiseSearch {
        PromiseSearch(
            state: chance(40) && !states.isEmpty ? any(states) : chance(5) ? "done" : nil,
            tags: chance(30) ? [any(["x", "y"]): any(["1", "2"])] : [:],
            limit: chance(60) ? number(chance(3) ? 0...1001 : 1...6) : nil,
            cursor: chance(40) ? any(Self.ids) : nil
        )
    }

    private mutating func scheduleCreation() -> ScheduleCreation {
        let id = any(Self.schedules)
        return ScheduleCreation(
            id: chance(3) ? "a:b" : id,
            cron: chance(3) ? "never" : any(["* * * * * *", "*/5 * * * * *", "* * * * *", "0 0 29 2 *"]),
            // No two schedules make promises of one name: which was first would be a matter of luck.
            promiseId: any(["{{.id}}-{{.timestamp}}", "{{.id}}:1", "{{.id}}.{{.timestamp}}:2"]),
            promiseTimeout: any([0, 500, 60_000, .max]),
            promiseParam: value(),
            promiseTags: [PromiseTag.target: chance(3) ? "nowhere" : any(Self.addresses), any(["x", "y"]): "1"]
        )
    }
}
