import DurableExecution
import DurablePromises
import Journeys
import Logging
import Synchronization
import TestSupport

/// Those who begin journeys, answer their questions, and wait for what comes of them.
final class Travellers: Sendable {
    private struct State {
        var isOver = false
        var count = 0
        var underWay: Set<String> = []
        var logs: [String: JourneyLog] = [:]
        var errors: [String] = []
    }

    private let client: any PromiseClient
    private let executions: Executions
    private let python: String?
    private let state = Mutex(State())

    init(_ client: any PromiseClient, python: String?, logger: Logger) {
        self.client = client
        self.python = python
        executions = Executions(client, group: "travellers", logger: logger)
    }

    /// Begins journeys, so many at a time, until it is told to stop, and follows each to its end.
    func run(_ width: Int) async {
        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<width { group.addTask { while let number = self.next() { await self.travel(number) } } }
        }
    }

    /// No journey is begun any more.
    func stop() { state.withLock { $0.isOver = true } }

    private func next() -> Int? {
        state.withLock { state in
            if state.isOver { return nil }
            state.count += 1
            return state.count
        }
    }

    private func travel(_ number: Int) async {
        let id = "journey-\(number)"
        state.withLock { _ = $0.underWay.insert(id) }
        do {
            let plan = JourneyPlan(number: number, legs: Fleet.legs, python: python)
            let handle = try await executions.begin(
                Journeys.journey, id: id, input: plan, target: Fleet.journeys)
            let question = Journeys.question(of: id)
            while try await client.getPromise(id: question) == nil { try await Task.sleep(for: .milliseconds(100)) }
            try await executions.resolve(question, with: 1000 + number)
            let log = try await handle.value
            state.withLock { state in
                state.logs[id] = log
                state.underWay.remove(id)
            }
            try check(log, number)
        } catch is CancellationError {
            // It is still under way.
        } catch {
            state.withLock { state in
                state.errors.append("\(id): \(error)")
                state.underWay.remove(id)
            }
        }
    }

    /// What a journey has to come to, told without its code.
    private func check(_ log: JourneyLog, _ number: Int) throws {
        let isOdd = number % 2 == 1
        let parts = [
            number, (number + 1) + (2 * number + 1) + (3 * number + 1), 1000 + number, (number + 1) + (number + 2),
            isOdd ? 0 : number, python == nil ? 0 : 3 * number + 1,
        ]
        guard log.sum == parts.reduce(0, +), log.refusals == (isOdd ? ["\(number) is odd"] : []), log.marks.count == 6
        else { throw TestFailure("it came to \(log), not to \(parts)") }
    }

    // MARK: What came of it

    var underWay: [String] { state.withLock { $0.underWay.sorted() } }
    var logs: [String: JourneyLog] { state.withLock { $0.logs } }
    var errors: [String] { state.withLock { $0.errors } }
}
