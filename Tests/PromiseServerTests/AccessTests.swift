import DurablePromises
import Testing

@testable import PromiseServer

@Suite("Access")
struct AccessTests {
    /// An operation that names `ids`, each in another place.
    struct Naming: Sendable, CustomTestStringConvertible {
        let operation: PromiseOperation
        let ids: [String]
        var testDescription: String { operation.kind }
    }

    private static func create(_ id: String) -> Request {
        Request(.createPromise(PromiseCreation(id: id, timeoutAt: 1)))
    }

    private static func operations(_ id: (Int) -> String) -> [PromiseOperation] {
        let settle = Request(.settlePromise(PromiseSettlement(id: id(1), state: .resolved)))
        let callback = Request(.registerCallback(Callback(awaited: id(1), awaiter: id(0))))
        let task = TaskReference(id: id(0), version: 1)
        return [
            .getPromise(id: id(0)), create(id(0)).operation, settle.operation, callback.operation,
            .registerListener(Listener(awaited: id(0), address: "poll://uni@g/p")), .getTask(id: id(0)),
            .createTask(pid: "p", ttl: 1, action: create(id(0))), .acquireTask(task, pid: "p", ttl: 1),
            .heartbeat(pid: "p", tasks: [task, TaskReference(id: id(1), version: 1)]),
            .fence(task, action: create(id(1))), .fence(task, action: settle),
            .suspendTask(task, actions: [Request(.getPromise(id: id(0))), callback]),
            .fulfillTask(task, action: settle), .releaseTask(task), .haltTask(id: id(0)), .continueTask(id: id(0)),
            .createSchedule(ScheduleCreation(id: id(0), cron: "* * * * *", promiseId: id(1), promiseTimeout: 1)),
            .createSchedule(
                ScheduleCreation(id: id(0), cron: "* * * * *", promiseId: "{{.id}}{{.timestamp}}", promiseTimeout: 1)
            ),
            .getSchedule(id: id(0)), .deleteSchedule(id: id(0)),
        ]
    }

    @Test("every id that an operation names has to begin with the prefix, wherever it stands")
    func everyID() {
        let access = Access.ids(prefix: "shop/")
        for operation in Self.operations({ "shop/\($0)" }) {
            #expect(access.refusal(of: operation) == nil, "\(operation)")
        }
        // One of them is another's, the first and then the second.
        for foreign in 0...1 {
            let own = Self.operations { "shop/\($0)" }
            let mixed = Self.operations { $0 == foreign ? "bank/\($0)" : "shop/\($0)" }
            for (operation, original) in zip(mixed, own) where operation != original {
                #expect(access.refusal(of: operation) != nil, "\(operation)")
            }
        }
    }

    @Test("a schedule whose promises would be another's is refused, whatever stands in its template")
    func schedules() {
        let access = Access.ids(prefix: "{{.t")
        let schedule = ScheduleCreation(id: "{{.t", cron: "* * * * *", promiseId: "{{.timestamp}}", promiseTimeout: 1)
        #expect(access.refusal(of: .createSchedule(schedule)) != nil)
    }

    @Test("what stands inside of another request is judged as if it stood alone, though nothing would do it there")
    func inside() {
        let access = Access.ids(prefix: "shop/")
        let task = TaskReference(id: "shop/1", version: 1)
        let schedule = ScheduleCreation(id: "bank/1", cron: "* * * * *", promiseId: "shop/1", promiseTimeout: 1)
        for operation in [PromiseOperation.createSchedule(schedule), .searchPromises(.init()), .snapshot] {
            let action = Request(operation)
            #expect(access.refusal(of: .fence(task, action: action)) != nil, "\(operation)")
            #expect(access.refusal(of: .suspendTask(task, actions: [action])) != nil, "\(operation)")
        }
    }

    @Test("a search is for those who may see everything")
    func searches() {
        for operation in [PromiseOperation.searchPromises(.init()), .searchTasks(.init()), .searchSchedules(.init())] {
            #expect(Access.ids(prefix: "a").refusal(of: operation) != nil)
            #expect(Access.ids(prefix: "").refusal(of: operation) == nil)
            #expect(Access.administrator.refusal(of: operation) == nil)
        }
    }

    @Test("only administrators take a server in hand")
    func debugging() {
        for operation in [
            PromiseOperation.startDebugging, .stopDebugging, .resetForDebugging, .tick(time: 1), .snapshot,
        ] {
            #expect(Access.ids(prefix: "").refusal(of: operation) != nil)
            #expect(Access.administrator.refusal(of: operation) == nil)
        }
    }

    @Test("a prefix is compared byte by byte, and not as people read it")
    func bytes() {
        #expect(!Access.ids(prefix: "e").covers("\u{e9}"))
        #expect(Access.ids(prefix: "e").covers("e\u{301}"))
        #expect(!Access.ids(prefix: "ab").covers("a"))
    }
}
