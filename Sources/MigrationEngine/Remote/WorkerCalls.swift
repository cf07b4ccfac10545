internal import Backfill
internal import DurableExecution
internal import DurablePromises
internal import Foundation
internal import PostgreSQL
internal import SchemaChange

/// Calls of a worker's function, each a durable promise under the walk's: `<walk>:<step>.<range>.<number>`.
///
/// Whoever makes the same call again, after a crash or as another worker of ours, finds the promise and waits for it, until
/// what came of it is behind the checkpoint and it is removed. Only who holds the walk makes one, or removes one: somebody
/// who was taken over from would ask again about what is done.
struct WorkerCalls: RemoteFunction {
    let travel: ClaimedTravel
    /// Told when an answer is not there at once.
    let waiting: @Sendable (_ message: String) -> Void

    private var root: String { travel.travel.record.promise }

    func call(_ name: String, _ argument: String, of remote: RemoteForward) async throws -> RemoteReply {
        let id = "\(root):\(name)"
        let call = WorkerCall(function: remote.function)
        let created = try await travel.steps.create(
            PromiseCreation(
                id: id,
                timeoutAt: try await now() + Int64(remote.timeLimit / .milliseconds(1)),
                param: PromiseValue(data: call.data(argument)),
                tags: [
                    PromiseTag.scope: "global", PromiseTag.target: remote.target, PromiseTag.origin: root,
                    PromiseTag.branch: id, PromiseTag.parent: root,
                ]
            ))
        let settled = try await settlement(of: created, remote)
        let outcome: RemoteReply.Outcome =
            switch settled.state {
            case .resolved: .answered(WorkerCall.answer(settled.value))
            case .rejectedTimedout: .overdue
            default: .rejected(WorkerCall.message(settled.value))
            }
        return RemoteReply(id: id, argument: call.argument(in: created.param.data) ?? argument, outcome: outcome)
    }

    func forget(beginningWith prefix: String) async throws {
        let prefix = "\(root):\(prefix)"
        var isMore = true
        while isMore {
            isMore = try await travel.fenced {
                try await PromiseStore.removeSettledBranches(beginningWith: prefix, on: $0)
            }
        }
    }

    /// Cancels and removes every call that a migration has made, in whichever walk: nobody waits for one any more.
    ///
    /// - Parameter guarded: runs a transaction during which nobody begins to make calls.
    static func forgetAll(
        of ledger: Ledger,
        in store: PromiseStore,
        guarded: (_ body: (PostgresConnection) async throws -> Bool) async throws -> Bool
    ) async throws {
        let prefix = WalkID.prefix(ledger.id)
        var isMore = try await guarded { _ in
            try await store.cancelBranches(beginningWith: prefix)
            return true
        }
        while isMore {
            isMore = try await guarded {
                try await PromiseStore.removeSettledBranches(beginningWith: prefix, on: $0)
            }
        }
    }

    /// What time it is by the database's clock, in milliseconds since 1970.
    private func now() async throws -> Int64 {
        try await travel.pool.withConnection { connection in
            let now = "SELECT floor(extract(epoch FROM clock_timestamp()) * 1000)::bigint AS now"
            return try await connection.query(now).row().integer("now")
        }
    }

    /// Asks again and again, less and less often; the deadline of the promise ends it.
    private func settlement(of created: PromiseRecord, _ remote: RemoteForward) async throws -> PromiseRecord {
        let clock = ContinuousClock()
        let began = clock.now
        var record = created
        var pause = Duration.milliseconds(10)
        while record.state == .pending {
            try await clock.sleep(for: pause)
            pause = min(pause * 1.5, .seconds(1))
            if clock.now - began > .seconds(1) {
                waiting("no worker at \(remote.target) has answered \(remote.function) yet (promise \(record.id))")
            }
            guard let found = try await travel.client.getPromise(id: record.id) else {
                throw Interruption.waiting(
                    reason: "WaitingForWorker", message: "promise \(record.id) is gone; it is made again")
            }
            record = found
        }
        return record
    }
}

/// A call as Resonate's SDKs write it: base64 of `{"args": […], "func": …, "kwargs": {}, "version": 1}`.
struct WorkerCall {
    let function: String

    private static let opening = #"{"args":["#
    private var closing: String {
        // Encoding text cannot fail.
        let name = String(decoding: try! JSONEncoder().encode(function), as: UTF8.self)
        return #"],"func":\#(name),"kwargs":{},"version":1}"#
    }

    func data(_ argument: String) -> String {
        Data((Self.opening + argument + closing).utf8).base64EncodedString()
    }

    /// The argument in what a promise was made with, to the letter; nil when that is none of these.
    func argument(in data: String?) -> String? {
        guard let data, let json = Data(base64Encoded: data) else { return nil }
        let text = String(decoding: json, as: UTF8.self)
        guard text.hasPrefix(Self.opening), text.hasSuffix(closing) else { return nil }
        return String(text.dropFirst(Self.opening.count).dropLast(closing.count))
    }

    /// The JSON that a worker answered with. Nothing is `null`.
    static func answer(_ value: PromiseValue) -> String {
        guard let data = value.data, !data.isEmpty else { return "null" }
        return Data(base64Encoded: data).map { String(decoding: $0, as: UTF8.self) } ?? "null"
    }

    /// Why it was rejected, as far as it can be said in a line.
    static func message(_ value: PromiseValue) -> String {
        struct Failure: Decodable {
            let message: String?
        }
        let data = Data(answer(value).utf8)
        let decoder = JSONDecoder()
        let said =
            (try? decoder.decode(Failure.self, from: data))?.message ?? (try? decoder.decode(String.self, from: data))
            ?? "it did not say why"
        let line = said.map { $0.isNewline || $0.unicodeScalars.contains { $0.value < 0x20 } ? " " : $0 }
        return line.count > 300 ? String(line.prefix(300)) + "…" : String(line)
    }
}
