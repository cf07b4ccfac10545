import Synchronization
import TestSupport

@testable import DurablePromises

/// A store in memory that does as the state machine says, except for what a test has planted in it.
final class FaultyStore: Sendable {
    enum Fault: String, Sendable, CaseIterable {
        case none
        /// Who settles reads, and writes later, over what somebody wrote meanwhile.
        case lostUpdate
        /// A task that is released gets another version.
        case versionOnRelease
        /// A promise is read from a copy that is behind.
        case staleRead
        /// A task is given to whoever asks, though somebody has it since.
        case secondClaim
        /// Nobody is resumed.
        case lostResume
        /// What was answered is forgotten now and then.
        case forgottenWrite
        /// Some requests take effect twice.
        case twice
    }

    private struct State {
        /// By family; so small that it may be copied for each request.
        var families: [String: ModelPromises] = [:]
        var copies: [String: ModelPromises] = [:]
        var random: SplitMix
    }

    private let fault: Fault
    private let state: Mutex<State>

    init(_ fault: Fault, seed: UInt64) {
        self.fault = fault
        state = Mutex(State(random: SplitMix(seed: seed)))
    }

    /// Answers as a server would, with others in between. Of some requests the answer is lost; of these some take no effect.
    func answer(_ request: Request) async -> ConcurrentLoad.Outcome {
        let family = request.operation.promiseIDs.min().map { Lineage.partition($0) } ?? ""
        await pause()
        if chance(1) { return .unknown }
        let response = await process(request, family)
        await pause()
        return chance(1) ? .unknown : .answered(response)
    }

    private func process(_ request: Request, _ family: String) async -> Response {
        switch (fault, request.operation) {
        case (.lostUpdate, .settlePromise(let settlement)):
            var copy = model(family)
            let response = copy.answer(request)
            await pause()
            if response.status == 200 {
                state.withLock {
                    $0.families[family]?.records.promises[settlement.id] = copy.records.promises[settlement.id]
                }
            }
            return response
        case (.staleRead, .getPromise):
            return state.withLock { state in
                if Int.random(in: 0..<4, using: &state.random) == 0 { state.copies[family] = state.families[family] }
                var copy = state.copies[family] ?? ModelPromises(now: 0)
                return copy.answer(request)
            }
        case (.forgottenWrite, .settlePromise), (.forgottenWrite, .createPromise):
            guard chance(10) else { return change(family) { $0.answer(request) } }
            var copy = model(family)
            return copy.answer(request)
        default:
            let isRepeated = fault == .twice && chance(10)
            return change(family) { model in
                let before = model
                // As by a client that asks again when it has lost the answer.
                if isRepeated { _ = model.answer(request) }
                var response = model.answer(request)
                plant(request.operation, &response, &model, before)
                return response
            }
        }
    }

    /// What goes wrong after the answer.
    private func plant(
        _ operation: PromiseOperation,
        _ response: inout Response,
        _ model: inout ModelPromises,
        _ before: ModelPromises
    ) {
        switch (fault, operation) {
        case (.versionOnRelease, .releaseTask(let task)) where response.status == 200:
            model.records.tasks[task.id]?.version += 1
        case (.secondClaim, .acquireTask(let task, let pid, let ttl)) where response.status == 409:
            guard var found = model.records.tasks[task.id], found.state == .acquired, found.version == task.version + 1
            else { return }
            found.pid = pid
            found.ttl = ttl
            model.records.tasks[task.id] = found
            let promise = model.records.promises[task.id]
            response = Response(
                to: Request(operation, head: .init(corrId: response.head.corrId)),
                data: ResponseData(promise: promise, task: found, preload: [])
            )
        case (.lostResume, .settlePromise):
            for (id, task) in before.records.tasks where task.state == .suspended { model.records.tasks[id] = task }
        default: break
        }
    }

    // MARK: The state

    private func model(_ family: String) -> ModelPromises {
        state.withLock { $0.families[family] ?? ModelPromises(now: 1000) }
    }

    private func change<Value: Sendable>(_ family: String, _ body: (inout ModelPromises) -> Value) -> Value {
        state.withLock { body(&$0.families[family, default: ModelPromises(now: 1000)]) }
    }

    private func chance(_ percent: Int) -> Bool {
        state.withLock { Int.random(in: 0..<100, using: &$0.random) < percent }
    }

    private func pause() async {
        let turns = state.withLock { Int.random(in: 0..<4, using: &$0.random) }
        for _ in 0..<turns { await Task.yield() }
    }
}
