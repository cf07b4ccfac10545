import DurablePromises
import Logging
import Synchronization
import TestSupport
import Testing

@testable import DurableExecution

@Suite("Leases that are kept")
struct LeaseKeeperTests {
    @Test("of more tasks than a server takes in one heartbeat, all are extended")
    func manyTasks() async throws {
        let client = HeartbeatClient()
        let lost = Mutex(0)
        let hasSlept = Atomic(false)
        let environment = DurableEnvironment(
            now: { 0 },
            sleep: { duration in
                if hasSlept.exchange(true, ordering: .relaxed) { try await ContinuousClock().sleep(for: .seconds(60)) }
            },
            random: { 0 }
        )
        let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        let keeper = LeaseKeeper(
            client: client, pid: "me", lease: .seconds(30), environment: environment, logger: logger)
        let ids = Set((0..<600).map { "task-\($0)" })
        for id in ids {
            let claim = TaskClaim(
                task: TaskRecord(id: id, state: .acquired, version: 1),
                promise: PromiseRecord(id: id, timeoutAt: .max, createdAt: 0))
            let task = HeldTask(
                client: client, claim: claim, pid: "me", lease: .seconds(30), environment: environment, logger: logger)
            keeper.add(task) { _ in lost.withLock { $0 += 1 } }
        }
        let running = Task { try await keeper.run() }
        defer { running.cancel() }
        try await eventually("all are extended") { client.beats.reduce(0) { $0 + $1.count } >= ids.count }
        #expect(Set(client.beats.flatMap { $0 }) == ids)
        #expect(client.beats.allSatisfy { $0.count <= 512 })
        #expect(lost.withLock { $0 } == 0)
    }
}

/// Extends whatever it is asked to, and finds every task held.
private final class HeartbeatClient: PromiseClient {
    private let asked = Mutex<[[String]]>([])

    /// The tasks of each heartbeat.
    var beats: [[String]] { asked.withLock { $0 } }

    func process(_ request: Request) async throws -> Response {
        switch request.operation {
        case .heartbeat(_, let tasks):
            asked.withLock { $0.append(tasks.map(\.id)) }
            return Response(to: request)
        case .getTask(let id):
            return Response(to: request, data: ResponseData(task: TaskRecord(id: id, state: .acquired, version: 1)))
        default: throw TestFailure("nobody asks for \(request.operation.kind)")
        }
    }

    func process(_ requests: [Request]) async throws -> [Response] {
        var responses: [Response] = []
        for request in requests { responses.append(try await process(request)) }
        return responses
    }

    func messages(group: String, id: String) -> AsyncStream<PromiseMessage> {
        AsyncStream { $0.finish() }
    }
}
