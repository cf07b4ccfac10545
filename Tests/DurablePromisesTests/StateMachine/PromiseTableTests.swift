import Testing

@testable import DurablePromises

/// The protocol's table of promises: what each request and each event does to a promise in each state.
@Suite("the table of promises")
struct PromiseTableTests {
    /// In a cell stand the status and the state afterwards. An event has no status. An expired promise is one that is stored
    /// as pending, though its deadline has passed.
    static let table = """
                        | absent      | pending               | expired               | resolved     | rejected     | rejected_canceled     | rejected_timedout
        get             | 404         | 200 pending           | 200 rejected_timedout | 200 resolved | 200 rejected | 200 rejected_canceled | 200 rejected_timedout
        create          | 200 pending | 200 pending           | 200 rejected_timedout | 200 resolved | 200 rejected | 200 rejected_canceled | 200 rejected_timedout
        resolve         | 404         | 200 resolved          | 200 rejected_timedout | 200 resolved | 200 rejected | 200 rejected_canceled | 200 rejected_timedout
        reject          | 404         | 200 rejected          | 200 rejected_timedout | 200 resolved | 200 rejected | 200 rejected_canceled | 200 rejected_timedout
        cancel          | 404         | 200 rejected_canceled | 200 rejected_timedout | 200 resolved | 200 rejected | 200 rejected_canceled | 200 rejected_timedout
        listen          | 404         | 200 pending           | 200 rejected_timedout | 200 resolved | 200 rejected | 200 rejected_canceled | 200 rejected_timedout
        look at the time|             | pending               | rejected_timedout     | resolved     | rejected     | rejected_canceled     | rejected_timedout
        """

    struct Cell: Sendable, CustomTestStringConvertible {
        var action: String
        var before: String
        var status: Int?
        var after: PromiseState?

        var testDescription: String { "\(action), \(before)" }
    }

    static let cells: [Cell] = {
        let rows = table.split(separator: "\n").map { row in
            row.split(separator: "|", omittingEmptySubsequences: false).map {
                $0.split(separator: " ").map(String.init)
            }
        }
        return rows.dropFirst().flatMap { row in
            zip(rows[0].dropFirst(), row.dropFirst()).compactMap { before, words -> Cell? in
                guard let last = words.last else { return nil }
                return Cell(
                    action: row[0].joined(separator: " "), before: before[0], status: Int(words[0]),
                    after: PromiseState(rawValue: last)
                )
            }
        }
    }()

    @Test("says where a promise goes", arguments: cells)
    func transition(cell: Cell) {
        for isTimer in [false, true] { check(cell, isTimer: isTimer) }
    }

    private func check(_ cell: Cell, isTimer: Bool) {
        let isExpired = cell.before == "expired"
        // A timer comes to its end in another way: all else is the same.
        let after = isTimer && isExpired ? .resolved : cell.after
        var stored = PromiseRecords()
        if cell.before != "absent" {
            let state = PromiseState(rawValue: cell.before) ?? .pending
            stored.promises["p"] = PromiseRecord(
                id: "p", state: state, param: .init(data: "x"),
                tags: isTimer ? [PromiseTag.timer: "true"] : external, timeoutAt: isExpired ? noon : noon + 1,
                createdAt: 1, settledAt: state == .pending ? nil : 2
            )
        }
        let decision = decision(cell.action, stored)
        if let status = cell.status { #expect(decision.status == status) }
        let promise = decision.records.promises["p"]
        #expect(promise?.state == after)
        #expect((promise?.state == .pending) == (promise != nil && promise?.settledAt == nil))
        if decision.status == 200, cell.status != nil { #expect(decision.response.data.promise == promise) }
        switch (cell.before, cell.action) {
        case ("expired", _): #expect(promise?.settledAt == noon && promise?.value == PromiseValue())
        case ("pending", "resolve"), ("pending", "reject"), ("pending", "cancel"):
            #expect(promise?.settledAt == noon && promise?.value == PromiseValue(data: "v"))
        case ("pending", "listen"):
            #expect(decision.outcome.changes.listeners == [Listener(awaited: "p", address: "http://here")])
            #expect(decision.outcome.changes.promises.isEmpty)
        case ("absent", "create"):
            #expect(promise == PromiseRecord(id: "p", param: .init(data: "y"), timeoutAt: .max, createdAt: noon))
            #expect(decision.outcome.changes.tasks.isEmpty && decision.messages.isEmpty)
        default: #expect(decision.changesNothing)
        }
    }

    private func decision(_ action: String, _ stored: PromiseRecords) -> Decision {
        switch action {
        case "get": decide(.getPromise(id: "p"), stored)
        case "create":
            decide(.createPromise(PromiseCreation(id: "p", timeoutAt: .max, param: .init(data: "y"))), stored)
        case "resolve": decide(settling("p", .resolved, "v"), stored)
        case "reject": decide(settling("p", .rejected, "v"), stored)
        case "cancel": decide(settling("p", .rejectedCanceled, "v"), stored)
        case "listen": decide(.registerListener(Listener(awaited: "p", address: "http://here")), stored)
        case "look at the time": handle(.deadline(promise: "p"), stored)
        default: preconditionFailure("the table has the unknown action \(action)")
        }
    }

    // MARK: Creation

    @Test("a promise with a target has a task, which is offered at once")
    func withTarget() {
        let decision = decide(creating("p", targeted))
        let offer = TaskReference(id: "p", version: 0)
        #expect(decision.messages == [.execute(offer, address: workers)])
        #expect(decision.records.tasks["p"]?.state == .pending && decision.records.tasks["p"]?.version == 0)
        #expect(decision.records.tasks["p"]?.dueAt == noon + PromiseRules().retryInterval)
    }

    @Test("a task with a delay is offered when the time has come, and not before")
    func delay() {
        let tags = targeted.merging([PromiseTag.delay: "\(noon + 50)"]) { $1 }
        let created = decide(creating("p", tags))
        #expect(created.messages.isEmpty && created.records.tasks["p"]?.dueAt == noon + 50)
        #expect(handle(.wake(task: "p"), created.records, now: noon + 49).changesNothing)
        #expect(handle(.wake(task: "p"), created.records, now: noon + 50).messages.count == 1)
        let past = targeted.merging([PromiseTag.delay: "7"]) { $1 }
        #expect(decide(creating("p", past)).messages.count == 1)
    }

    @Test("a promise that is born late is stored settled at its deadline, and its task fulfilled")
    func late() {
        for (tags, state) in [
            (targeted, PromiseState.rejectedTimedout), (targeted.merging([PromiseTag.timer: "true"]) { $1 }, .resolved),
        ] {
            for timeout in [0, 7, noon] {
                let decision = decide(creating("p", tags, timeoutAt: timeout))
                let expected = PromiseRecord(
                    id: "p", state: state, tags: tags, timeoutAt: timeout, createdAt: timeout, settledAt: timeout
                )
                #expect(decision.response.data.promise == expected)
                #expect(decision.records.promises["p"] == expected)
                #expect(decision.records.tasks["p"] == TaskRecord(id: "p", state: .fulfilled, version: 0))
                #expect(decision.messages.isEmpty)
            }
        }
    }

    @Test("a timer's task is offered to nobody")
    func timer() {
        let tags = targeted.merging([PromiseTag.timer: "true"]) { $1 }
        let created = decide(creating("p", tags, timeoutAt: noon + 100_000))
        #expect(created.status == 200 && created.messages.isEmpty && created.records.tasks["p"]?.state == .pending)
        #expect(handle(.wake(task: "p"), created.records, now: noon + 50_000).messages.isEmpty)
        let strict = decide(creating("p", tags), rules: PromiseRules(isStrict: true))
        #expect(strict.status == 400)
    }

    // MARK: The end

    @Test("at its end a promise drops what it waits for, resumes who waits, and tells who listens, once")
    func end() {
        let awaiters = ["p:a", "p:b"].map { PromiseRecord(id: $0, tags: targeted, timeoutAt: .max, createdAt: 1) }
        var stored = PromiseRecords.withTask(.suspended)
        for awaiter in awaiters {
            stored.promises[awaiter.id] = awaiter
            stored.tasks[awaiter.id] = TaskRecord(id: awaiter.id, state: .suspended, version: 2)
            stored.callbacks.insert(Callback(awaited: "p", awaiter: awaiter.id))
        }
        stored.callbacks.insert(Callback(awaited: "p:1", awaiter: "p"))
        stored.listeners = [Listener(awaited: "p", address: "http://a"), Listener(awaited: "p", address: "http://b")]
        let ends = [
            decide(settling("p"), stored),
            handle(.deadline(promise: "p"), stored.with("p") { $0.timeoutAt = noon }),
            // Whoever asks, the deadline has passed for all.
            decide(.getTask(id: "p"), stored.with("p") { $0.timeoutAt = noon }),
        ]
        for decision in ends {
            #expect(decision.records.callbacks.isEmpty && decision.records.listeners.isEmpty)
            #expect(decision.outcome.removedCallbacks == stored.callbacks)
            #expect(decision.outcome.removedListeners == stored.listeners)
            #expect(
                Set(decision.messages) == [
                    .execute(TaskReference(id: "p:a", version: 2), address: workers),
                    .execute(TaskReference(id: "p:b", version: 2), address: workers),
                    .unblock(promise: "p", address: "http://a"), .unblock(promise: "p", address: "http://b"),
                ])
            for awaiter in awaiters {
                #expect(decision.records.tasks[awaiter.id]?.state == .pending)
                #expect(decision.records.tasks[awaiter.id]?.resumes == 1)
            }
            #expect(decision.records.tasks["p"]?.state == .fulfilled)
        }
    }

    @Test("what is waited for by nobody is told to nobody")
    func silence() {
        let decision = decide(settling("p"), .withTask(.halted))
        #expect(decision.messages.isEmpty)
    }
}
