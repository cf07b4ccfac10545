import ControllerRuntime
import KubernetesClient
import Testing

@Suite("The protocol of list and watch")
struct ReflectorStateTests {
    private let start = ContinuousClock.now
    private func state(random: Double = 0) -> ReflectorState {
        ReflectorState(random: RandomSource { random })
    }

    private let watchTimeout: Duration = .seconds(300)

    @Test("the first list takes what the server has at hand, then it watches from the list's version")
    func beginning() {
        var state = state()
        #expect(state.start() == .list(resourceVersion: "0"))
        #expect(
            state.handle(.listed(resourceVersion: "7"), at: start)
                == .watch(resourceVersion: "7", timeout: watchTimeout))
    }

    @Test("a watch that ends goes on at the last event's or bookmark's version, without a list")
    func goesOn() {
        var state = state()
        _ = state.handle(.listed(resourceVersion: "7"), at: start)
        state.saw(resourceVersion: "9")
        state.saw(resourceVersion: "")
        #expect(
            state.handle(.watchEnded(lasted: .seconds(300), events: 2), at: start)
                == .watch(resourceVersion: "9", timeout: watchTimeout))
        #expect(
            state.handle(.watchEnded(lasted: .seconds(300), events: 0), at: start)
                == .watch(resourceVersion: "9", timeout: watchTimeout))
        #expect(
            state.handle(.watchEnded(lasted: .milliseconds(10), events: 1), at: start)
                == .watch(resourceVersion: "9", timeout: watchTimeout))
    }

    @Test("a watch that ends at once without an event is a failure: back off, and list nothing older than was seen")
    func shortWatch() {
        var state = state()
        _ = state.handle(.listed(resourceVersion: "7"), at: start)
        #expect(
            state.handle(.watchEnded(lasted: .milliseconds(10), events: 0), at: start) == .wait(.milliseconds(800)))
        #expect(state.handle(.waited, at: start) == .list(resourceVersion: "7"))
    }

    @Test("after an expired version the newest is listed, and then versions count again")
    func expired() {
        var state = state()
        _ = state.handle(.listed(resourceVersion: "7"), at: start)
        #expect(state.handle(.watchFailed(.badVersion), at: start) == .wait(.milliseconds(800)))
        #expect(state.handle(.waited, at: start) == .list(resourceVersion: nil))
        _ = state.handle(.listed(resourceVersion: "20"), at: start)
        _ = state.handle(.watchFailed(.other), at: start)
        #expect(state.handle(.waited, at: start) == .list(resourceVersion: "20"))
    }

    @Test("a list refused for its version is repeated at once without one, and after that with a delay")
    func listExpired() {
        var state = state()
        _ = state.handle(.listed(resourceVersion: "7"), at: start)
        _ = state.handle(.watchFailed(.other), at: start)
        _ = state.handle(.waited, at: start)
        #expect(state.handle(.listFailed(.badVersion), at: start) == .list(resourceVersion: nil))
        guard case .wait = state.handle(.listFailed(.badVersion), at: start) else {
            Issue.record("it must not list in a busy loop")
            return
        }
        #expect(state.handle(.waited, at: start) == .list(resourceVersion: nil))
    }

    @Test("a server that refuses connections or is overloaded is watched again, not listed")
    func refused() {
        var state = state()
        _ = state.handle(.listed(resourceVersion: "7"), at: start)
        for wait in [800, 1600, 3200] {
            #expect(
                state.handle(.watchFailed(.unreachable(retryAfter: nil)), at: start) == .wait(.milliseconds(wait)))
            #expect(state.handle(.waited, at: start) == .watch(resourceVersion: "7", timeout: watchTimeout))
        }
        #expect(
            state.handle(.watchFailed(.unreachable(retryAfter: .seconds(60))), at: start) == .wait(.seconds(60)))
    }

    @Test("the delay doubles up to 30 s, and begins anew two minutes after the last failure")
    func backoff() {
        var state = state()
        var waits: [Duration] = []
        for _ in 0..<8 {
            guard case .wait(let wait) = state.handle(.listFailed(.other), at: start) else { return }
            waits.append(wait)
        }
        #expect(waits == [800, 1600, 3200, 6400, 12800, 25600, 30000, 30000].map { .milliseconds($0) })
        #expect(state.handle(.listFailed(.other), at: start + .seconds(121)) == .wait(.milliseconds(800)))
        #expect(state.handle(.listFailed(.other), at: start + .seconds(240)) == .wait(.milliseconds(1600)))
    }

    @Test("watches last five to ten minutes, at random; delays are jittered")
    func jitter() {
        var state = state(random: 0.5)
        #expect(
            state.handle(.listed(resourceVersion: "7"), at: start)
                == .watch(resourceVersion: "7", timeout: .seconds(450)))
        #expect(state.handle(.watchFailed(.other), at: start) == .wait(.milliseconds(1200)))
    }

    @Test(
        "errors mean to the protocol what they must",
        arguments: [
            (KubernetesError.Code.expired, ReflectorState.Failure.badVersion),
            (.tooLargeResourceVersion, .badVersion), (.refused, .unreachable(retryAfter: nil)),
            (.connection, .unreachable(retryAfter: nil)), (.tooManyRequests, .unreachable(retryAfter: nil)),
            (.timeout, .unreachable(retryAfter: nil)), (.unavailable, .other), (.forbidden, .other),
            (.decoding, .other),
        ])
    func meanings(code: KubernetesError.Code, failure: ReflectorState.Failure) {
        #expect(ReflectorState.Failure(KubernetesError(code, "")) == failure)
    }
}
