import Testing

@testable import DurablePromises

/// The protocol's table of tasks: what each request and each event does to a task in each state.
@Suite("the table of tasks")
struct TaskTableTests {
    /// A stored task is at version 3, held by `me`, and waits for `p:1`; `p:2` is settled. In a cell stand the status, the
    /// state and version afterwards, and `!` where the task is offered to a worker. An event has no status.
    static let table = """
                                | absent         | pending        | acquired         | suspended      | halted         | fulfilled
        create                  | 200 acquired 1 | 200 acquired 4 | 409 acquired 3   | 409 suspended 3| 409 halted 3   | 200 fulfilled 3
        acquire                 | 404            | 200 acquired 4 | 409 acquired 3   | 409 suspended 3| 409 halted 3   | 409 fulfilled 3
        acquire at 2            | 404            | 409 pending 3  | 409 acquired 3   | 409 suspended 3| 409 halted 3   | 409 fulfilled 3
        acquire at 4            | 404            | 409 pending 3  | 409 acquired 3   | 409 suspended 3| 409 halted 3   | 409 fulfilled 3
        fence                   | 404            | 409 pending 3  | 200 acquired 3   | 409 suspended 3| 409 halted 3   | 409 fulfilled 3
        fence at 2              | 404            | 409 pending 3  | 409 acquired 3   | 409 suspended 3| 409 halted 3   | 409 fulfilled 3
        heartbeat               | 200            | 200 pending 3  | 200 acquired 3   | 200 suspended 3| 200 halted 3   | 200 fulfilled 3
        suspend                 | 404            | 409 pending 3  | 200 suspended 3  | 409 suspended 3| 409 halted 3   | 409 fulfilled 3
        suspend, one is settled | 404            | 409 pending 3  | 300 acquired 3   | 409 suspended 3| 409 halted 3   | 409 fulfilled 3
        suspend at 2            | 404            | 409 pending 3  | 409 acquired 3   | 409 suspended 3| 409 halted 3   | 409 fulfilled 3
        fulfill                 | 404            | 409 pending 3  | 200 fulfilled 3  | 409 suspended 3| 409 halted 3   | 409 fulfilled 3
        fulfill at 2            | 404            | 409 pending 3  | 409 acquired 3   | 409 suspended 3| 409 halted 3   | 409 fulfilled 3
        release                 | 404            | 409 pending 3  | 200 pending 3 !  | 409 suspended 3| 409 halted 3   | 409 fulfilled 3
        release at 2            | 404            | 409 pending 3  | 409 acquired 3   | 409 suspended 3| 409 halted 3   | 409 fulfilled 3
        halt                    | 404            | 200 halted 3   | 200 halted 3     | 200 halted 3   | 200 halted 3   | 409 fulfilled 3
        continue                | 404            | 409 pending 3  | 409 acquired 3   | 409 suspended 3| 200 pending 3 !| 409 fulfilled 3
        get                     | 404            | 200 pending 3  | 200 acquired 3   | 200 suspended 3| 200 halted 3   | 200 fulfilled 3
        early wake              |                | pending 3      | acquired 3       | suspended 3    | halted 3       | fulfilled 3
        wake                    |                | pending 3 !    | pending 3 !      | suspended 3    | halted 3       | fulfilled 3
        awaited settles         |                | pending 3      | acquired 3       | pending 3 !    | halted 3       | fulfilled 3
        awaited expires         |                | pending 3      | acquired 3       | pending 3 !    | halted 3       | fulfilled 3
        own promise settles     |                | fulfilled 3    | fulfilled 3      | fulfilled 3    | fulfilled 3    | fulfilled 3
        own promise expires     |                | fulfilled 3    | fulfilled 3      | fulfilled 3    | fulfilled 3    | fulfilled 3
        """

    struct Cell: Sendable, CustomTestStringConvertible {
        var action: String
        var before: TaskState?
        var status: Int?
        var after: (state: TaskState, version: Int64)?
        var isOffered: Bool

        var testDescription: String { "\(action), \(before?.rawValue ?? "absent")" }
    }

    static let cells: [Cell] = {
        let rows = table.split(separator: "\n").map { row in
            row.split(separator: "|", omittingEmptySubsequences: false).map {
                $0.split(separator: " ").map(String.init)
            }
        }
        let states = rows[0].dropFirst().map { TaskState(rawValue: $0[0]) }
        return rows.dropFirst().flatMap { row in
            zip(states, row.dropFirst()).compactMap { before, words -> Cell? in
                var words = words
                guard !words.isEmpty else { return nil }
                let isOffered = words.last == "!"
                if isOffered { words.removeLast() }
                let status = Int(words[0])
                if status != nil { words.removeFirst() }
                let after = words.count == 2 ? (TaskState(rawValue: words[0])!, Int64(words[1])!) : nil
                return Cell(
                    action: row[0].joined(separator: " "), before: before, status: status, after: after,
                    isOffered: isOffered
                )
            }
        }
    }()

    @Test("has a cell for each request and each state")
    func complete() {
        #expect(Self.cells.count == 17 * 6 + 6 * 5)
        #expect(Set(Self.cells.map(\.testDescription)).count == Self.cells.count)
    }

    @Test("says where a task goes", arguments: cells)
    func transition(cell: Cell) throws {
        var stored = PromiseRecords.withTask(cell.before, waiting: cell.before != nil && cell.before != .fulfilled)
        if cell.before == nil { stored.promises["p"] = nil }
        stored.promises["p:2"] = PromiseRecord(
            id: "p:2", state: .resolved, tags: external, timeoutAt: .max, createdAt: 1, settledAt: 2
        )
        let decision = decision(cell.action, stored)
        if let status = cell.status { #expect(decision.status == status) }
        let task = decision.records.tasks["p"]
        #expect(task?.state == cell.after?.state)
        #expect(task?.version == cell.after?.version)
        // Whoever holds it holds it for a time, and nobody else does.
        #expect((task?.state == .acquired) == (task?.leaseExpiresAt != nil && task?.ttl != nil && task?.pid != nil))
        #expect((task?.state == .pending) == (task?.dueAt != nil))
        // What is offered is offered at the version at which it is to be had.
        let offered = decision.messages.filter { $0.key.hasPrefix("execute") }
        let offer = OutgoingMessage.execute(
            TaskReference(id: "p", version: cell.after?.version ?? -1), address: workers)
        #expect(offered == (cell.isOffered ? [offer] : []))
        if cell.status.map({ $0 >= 400 }) ?? false || ["get", "early wake"].contains(cell.action) {
            #expect(decision.changesNothing, "a refusal changes nothing")
        }
        if cell.status == 200 || cell.status == 300 { try answer(cell, decision) }
    }

    /// What the answer says is what is stored.
    private func answer(_ cell: Cell, _ decision: Decision) throws {
        let (data, task) = (decision.response.data, decision.records.tasks["p"])
        switch cell.action {
        case "create", "acquire":
            #expect(data.task == task && data.promise == decision.records.promises["p"] && data.preload == [])
            if cell.after?.state == .acquired {
                #expect(
                    task?.pid == "you" && task?.ttl == 10 && task?.leaseExpiresAt == noon + 10 && task?.resumes == 0)
            }
        case "get": #expect(data.task == task)
        case "fence": #expect(data.action?.status == 200 && data.action?.data.promise?.id == "p:3")
        case "fulfill": #expect(data.promise?.state == .resolved)
        case "suspend, one is settled": #expect(data.preload == [])
        default: #expect(data == ResponseData())
        }
        let lease = cell.action == "heartbeat" ? noon + 60 : noon + 30
        if cell.before == .acquired, task?.state == .acquired { #expect(task?.leaseExpiresAt == lease) }
    }

    private func decision(_ action: String, _ stored: PromiseRecords) -> Decision {
        let version: Int64 = action.hasSuffix("at 2") ? 2 : action.hasSuffix("at 4") ? 4 : 3
        let task = TaskReference(id: "p", version: version)
        switch action {
        case "create": return decide(.createTask(pid: "you", ttl: 10, action: creating("p", targeted)), stored)
        case "acquire", "acquire at 2", "acquire at 4": return decide(.acquireTask(task, pid: "you", ttl: 10), stored)
        case "fence", "fence at 2": return decide(.fence(task, action: creating("p:3")), stored)
        case "heartbeat": return decide(.heartbeat(pid: "me", tasks: [task]), stored)
        case "suspend", "suspend at 2": return decide(.suspendTask(task, actions: [awaiting("p:1", by: "p")]), stored)
        case "suspend, one is settled":
            return decide(.suspendTask(task, actions: [awaiting("p:1", by: "p"), awaiting("p:2", by: "p")]), stored)
        case "fulfill", "fulfill at 2": return decide(.fulfillTask(task, action: settling("p")), stored)
        case "release", "release at 2": return decide(.releaseTask(task), stored)
        case "halt": return decide(.haltTask(id: "p"), stored)
        case "continue": return decide(.continueTask(id: "p"), stored)
        case "get": return decide(.getTask(id: "p"), stored)
        case "early wake": return handle(.wake(task: "p"), stored, now: noon + 29)
        case "wake": return handle(.wake(task: "p"), stored, now: noon + 30)
        case "awaited settles": return decide(settling("p:1"), stored)
        case "awaited expires":
            return handle(.deadline(promise: "p:1"), stored.with("p:1") { $0.timeoutAt = noon })
        case "own promise settles": return decide(settling("p", .rejected), stored)
        case "own promise expires":
            guard stored.promises["p"]?.state == .pending else { return handle(.deadline(promise: "p"), stored) }
            return handle(.deadline(promise: "p"), stored.with("p") { $0.timeoutAt = noon })
        default: preconditionFailure("the table has the unknown action \(action)")
        }
    }
}
