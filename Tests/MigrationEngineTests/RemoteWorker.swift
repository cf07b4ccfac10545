import DurablePromises
import Foundation
import PostgreSQL
import TestSupport

/// A worker in the test's process: takes the tasks of its group, as any SDK would, and answers what its function makes of
/// the rows.
final class RemoteWorker: Sendable {
    struct Row: Sendable {
        let key: String
        let old: [String: String?]
    }

    /// What a call comes to. `nothing` never answers: the worker was killed with the task in its hands.
    enum Reply: Sendable {
        case rows([[String: String?]])
        case json(String)
        case rejected(String)
        case nothing
    }

    typealias Function = @Sendable (_ rows: [Row], _ call: Int) async throws -> Reply

    /// Full names into first and last ones: what no SQL was given for.
    static func split(_ rows: [Row]) -> [[String: String?]] {
        rows.map { row in
            let words = (row.old["full_name"] ?? nil)?.split(separator: " ", maxSplits: 1).map(String.init) ?? []
            return ["first_name": words.first, "last_name": words.count > 1 ? words[1] : nil]
        }
    }

    /// Serves `group` while `body` runs.
    @discardableResult
    static func serving<Value: Sendable>(
        _ url: String,
        group: String = "names",
        lease: Int64 = 1000,
        _ function: @escaping Function = { rows, _ in .rows(split(rows)) },
        while body: @escaping @Sendable () async throws -> Value
    ) async throws -> Value {
        let configuration = try PostgresConfiguration(url: url, origin: .operatorOwned, applicationName: "worker")
        let pool = PostgresPool(configuration, maximum: 6)
        let store = PromiseStore(
            pool: pool, settings: .init(rules: PromiseRules(retryInterval: 500), sweepInterval: .milliseconds(100)))
        try await store.install()
        let serving = Task { await store.run() }
        let working = Task {
            var calls = 0
            for await message in store.messages(group: group, id: uniqueName("w")) {
                guard case .execute(let task) = message else { continue }
                calls += 1
                try? await Self.work(task, lease: lease, call: calls, store, function)
            }
        }
        defer {
            working.cancel()
            serving.cancel()
        }
        let result: Result<Value, any Error>
        do { result = .success(try await body()) } catch { result = .failure(error) }
        working.cancel()
        serving.cancel()
        _ = await working.result
        _ = await serving.result
        store.close()
        await pool.close()
        return try result.get()
    }

    private static func work(
        _ task: TaskReference,
        lease: Int64,
        call: Int,
        _ store: PromiseStore,
        _ function: Function
    ) async throws {
        let claim = try await store.acquireTask(id: task.id, version: task.version, pid: "test", ttl: lease)
        let reply = try await function(try rows(claim.promise.param), call)
        let answer: (PromiseState, String)
        switch reply {
        case .nothing: return
        case .json(let json): answer = (.resolved, json)
        case .rows(let rows):
            answer = (.resolved, String(decoding: try JSONEncoder().encode(rows), as: UTF8.self))
        case .rejected(let message):
            let json = String(
                decoding: try JSONEncoder().encode(["__type": "error", "message": message]), as: UTF8.self)
            answer = (.rejected, json)
        }
        let value = PromiseValue(data: Data(answer.1.utf8).base64EncodedString())
        _ = try await store.fulfillTask(id: claim.id, version: claim.version, state: answer.0, value: value)
    }

    private static func rows(_ param: PromiseValue) throws -> [Row] {
        struct Value: Decodable {
            let text: String

            init(from decoder: any Decoder) throws {
                let container = try decoder.singleValueContainer()
                text = try (try? container.decode(String.self)) ?? String(container.decode(Int.self))
            }
        }
        struct Call: Decodable {
            struct Argument: Decodable {
                struct Row: Decodable {
                    let key: [Int]
                    let old: [String: Value?]
                }
                let table: String
                let rows: [Row]
            }
            let `func`: String
            let args: [Argument]
        }
        guard let data = param.data.flatMap({ Data(base64Encoded: $0) }) else { throw TestFailure("no param") }
        let call = try JSONDecoder().decode(Call.self, from: data)
        guard call.func == "split_name", call.args.count == 1, call.args[0].table == "public.customers" else {
            throw TestFailure("not what a worker is asked: \(String(decoding: data, as: UTF8.self))")
        }
        return call.args[0].rows.map { Row(key: "\($0.key[0])", old: $0.old.mapValues { $0?.text }) }
    }
}
