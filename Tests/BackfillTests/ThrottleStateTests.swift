import Foundation
import Testing

@testable import Backfill

@Suite("How much of a backfill may go on")
struct ThrottleStateTests {
    private let begin = ContinuousClock.now

    private func state(workers: Int = 2, _ change: (inout ThrottleSettings) -> Void = { _ in }) -> ThrottleState {
        var settings = ThrottleSettings()
        change(&settings)
        var state = ThrottleState(ThrottleRules(settings), workers: workers)
        for worker in 0..<workers { state.set(worker, isPresent: true) }
        return state
    }

    private func look(
        _ state: inout ThrottleState, _ findings: [String] = [], others: Int = 0, at seconds: Double
    ) {
        state.looked(
            findings.map { ThrottleFinding(reason: $0, message: "\($0) is too much") }, others: others,
            at: begin + .seconds(seconds), date: Date(timeIntervalSince1970: seconds))
    }

    @Test("nobody goes on before the first look, nor after three seconds without one")
    func blind() {
        var state = state()
        #expect(!state.admits(0, at: begin))
        look(&state, at: 0)
        #expect(state.admits(0, at: begin + .seconds(2.9)))
        #expect(!state.admits(0, at: begin + .seconds(3.1)))
    }

    @Test("a finding holds everybody, since it began, and for half a second after it was last seen")
    func holds() {
        var state = state()
        look(&state, at: 0)
        #expect(state.hold == nil)
        look(&state, ["Lag"], at: 1)
        look(&state, ["Lag", "Slot"], at: 1.3)
        #expect(!state.admits(0, at: begin + .seconds(1.3)))
        #expect(state.hold?.reason == "Lag")
        #expect(state.hold?.message == "Lag is too much; Slot is too much")
        #expect(state.hold?.since == Date(timeIntervalSince1970: 1))
        look(&state, at: 1.6)
        #expect(state.hold != nil)
        look(&state, at: 1.81)
        #expect(state.hold == nil)
        #expect(state.admits(1, at: begin + .seconds(1.81)))
    }

    @Test("a share of two workers parks the second first, and then rests the first")
    func share() {
        var half = state { $0.share = 50 }
        look(&half, at: 0)
        #expect(half.admits(0, at: begin))
        #expect(!half.admits(1, at: begin))
        #expect(half.rest(after: .milliseconds(40), rows: 100, of: 0, at: begin) == .zero)
        // The first has come to the end of what there was for it.
        half.set(0, isPresent: false)
        #expect(half.admits(1, at: begin))
        var quarter = state { $0.share = 25 }
        look(&quarter, at: 0)
        #expect(quarter.rest(after: .milliseconds(40), rows: 100, of: 0, at: begin) == .milliseconds(40))
    }

    @Test("the server's budget is shared among the workers of all migrations")
    func budget() {
        var state = state()
        look(&state, others: 2, at: 0)
        #expect(state.capacity == 2)
        look(&state, others: 6, at: 1)
        #expect(state.capacity == 1)
        look(&state, others: 1000, at: 2)
        #expect(state.capacity == ThrottleState.fewest)
        look(&state, others: 0, at: 3)
        #expect(state.capacity == 2)
    }

    @Test("rows that are limited are paid for by whoever comes next")
    func rate() {
        var state = state { $0.maxRowsPerSecond = 1000 }
        look(&state, at: 0)
        #expect(state.admits(0, at: begin))
        _ = state.rest(after: .milliseconds(100), rows: 500, of: 0, at: begin + .milliseconds(100))
        #expect(!state.admits(1, at: begin + .milliseconds(490)))
        #expect(state.admits(1, at: begin + .milliseconds(510)))
    }

    @Test("a slow statement of the application's cuts sharply, a fast one grows slowly; at the bottom it holds")
    func latency() {
        var state = state()
        let limit = Duration.milliseconds(10)
        state.probed(.milliseconds(11), limit: limit)
        #expect(state.capacity == 1.5)
        state.probed(.milliseconds(10), limit: limit)
        #expect(abs(state.capacity - 1.53) < 0.001)
        for _ in 0..<40 { state.probed(.seconds(1), limit: limit) }
        look(&state, at: 0)
        #expect(state.hold?.reason == "Latency")
        #expect(state.hold?.message.contains("takes 1 s (the limit is 10 ms") == true)
        state.probed(.milliseconds(1), limit: limit)
        look(&state, at: 1)
        #expect(state.hold == nil)
        #expect(state.capacity < 0.2)
        for _ in 0..<70 { state.probed(.milliseconds(1), limit: limit) }
        #expect(state.capacity == 2)
    }

    @Test("so of ten statements about nine are within the limit, where it depends on the backfill alone")
    func settles() {
        var state = state()
        var over = 0
        // As slow as there are workers.
        for turn in 0..<2000 {
            let took = Duration.milliseconds(Int64(state.capacity * 10))
            if turn >= 1000, took > .milliseconds(10) { over += 1 }
            state.probed(took, limit: .milliseconds(10))
        }
        #expect(50..<150 ~= over, "\(over)")
    }
}

@Suite("How long a worker waits for leave to go on")
struct ThrottleTurnTests {
    private func throttle(_ findings: [ThrottleFinding] = []) -> Throttle {
        var settings = ThrottleSettings()
        settings.share = 50
        var state = ThrottleState(ThrottleRules(settings), workers: 2)
        for worker in 0...1 { state.set(worker, isPresent: true) }
        state.looked(findings, others: 0, at: .now, date: Date())
        return Throttle(state)
    }

    @Test("as long as it takes while it leaves room for others, and no longer than it has patience while it is held")
    func patience() async throws {
        let throttle = throttle()
        let lone = Task {
            try await Task.sleep(for: .milliseconds(400))
            throttle.update { $0.set(0, isPresent: false) }
        }
        #expect(try await throttle.admit(1, patience: .milliseconds(100)))
        try await lone.value

        let held = self.throttle([ThrottleFinding(reason: "Lag", message: "too much")])
        #expect(try await !held.admit(0, patience: .milliseconds(100)))
    }

    @Test("and not beyond the deadline, whatever it waits for")
    func deadline() async throws {
        #expect(try await !throttle().admit(1, until: .now + .milliseconds(100)))
    }
}

@Suite("When the server was where in its log")
struct PositionHistoryTests {
    @Test("tells for how long a position has been passed, with few marks")
    func since() {
        let begin = ContinuousClock.now
        var history = PositionHistory()
        for second in 0..<100_000 {
            history.note(Int64(second) * 100, at: begin + .seconds(second), keeping: .seconds(10))
        }
        let now = begin + .seconds(99_999)
        #expect(history.since(9_999_900, at: now) == .zero)
        #expect(history.since(9_999_450, at: now) == .seconds(4))
        // Longer ago than anybody asks about.
        #expect(history.since(0, at: now) > .seconds(10))
    }

    @Test("a server that writes nothing leaves nobody behind")
    func idle() {
        let begin = ContinuousClock.now
        var history = PositionHistory()
        history.note(7, at: begin, keeping: .seconds(10))
        history.note(7, at: begin + .seconds(60), keeping: .seconds(10))
        #expect(history.since(7, at: begin + .seconds(60)) == .zero)
    }
}
