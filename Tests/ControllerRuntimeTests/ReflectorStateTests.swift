import ControllerRuntime
import KubernetesClient
import Testing

@Suite("The protocol of list and watch")
struct ReflectorStateTests {
    private let start = ContinuousClock.now
    private func state(_ streaming: ReflectorState.Streaming = .refused, random: Double = 0) -> ReflectorState {
        ReflectorState(streaming: streaming, random: RandomSource { random })
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
        // A server whose clock is off by years shall not be away for as long.
        #expect(
            state.handle(.watchFailed(.unreachable(retryAfter: .seconds(1_000_000))), at: start) == .wait(.seconds(300))
        )
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

    // MARK: Lists as streams

    private func stream(_ version: String?) -> ReflectorState.Action {
        .stream(resourceVersion: version, timeout: watchTimeout)
    }

    @Test("it is found out first whether the server streams lists; a server that is away is waited for")
    func discovery() {
        var state = state(.unknown)
        #expect(state.start() == .discover)
        #expect(
            state.handle(.discoveryFailed(.unreachable(retryAfter: nil)), at: start) == .wait(.milliseconds(800)))
        #expect(state.handle(.waited, at: start) == .discover)
        var old = state
        #expect(old.handle(.discovered(streams: false), at: start) == .list(resourceVersion: "0"))
        var silent = state
        #expect(silent.handle(.discoveryFailed(.other), at: start) == .list(resourceVersion: "0"))
        #expect(state.handle(.discovered(streams: true), at: start) == stream(nil))
    }

    @Test("a streamed list goes on as a watch, and a later one is no older")
    func streams() {
        var state = state(.offered)
        #expect(state.start() == stream(nil))
        state.streamed(resourceVersion: "7")
        state.saw(resourceVersion: "9")
        #expect(
            state.handle(.watchEnded(lasted: .seconds(300), events: 4), at: start)
                == .watch(resourceVersion: "9", timeout: watchTimeout))
        #expect(state.handle(.watchFailed(.other), at: start) == .wait(.milliseconds(800)))
        #expect(state.handle(.waited, at: start) == stream("9"))
        #expect(state.handle(.watchFailed(.badVersion), at: start) == .wait(.milliseconds(1600)))
        #expect(state.handle(.waited, at: start) == stream(nil))
        state.streamed(resourceVersion: "20")
        #expect(
            state.handle(.watchFailed(.unreachable(retryAfter: nil)), at: start) == .wait(.milliseconds(3200)))
        #expect(state.handle(.waited, at: start) == .watch(resourceVersion: "20", timeout: watchTimeout))
    }

    @Test(
        "a stream that breaks off before its end is begun again once, then it is a list; the next one is a stream again"
    )
    func brokenOff() {
        let ends: [ReflectorState.Event] = [
            .watchFailed(.unreachable(retryAfter: nil)), .watchFailed(.other),
            .watchEnded(lasted: .seconds(9), events: 3),
        ]
        for end in ends {
            var state = state(.offered)
            _ = state.start()
            #expect(state.handle(end, at: start) == .wait(.milliseconds(800)))
            #expect(state.handle(.waited, at: start) == stream(nil))
            #expect(state.handle(end, at: start) == .wait(.milliseconds(1600)))
            #expect(state.handle(.waited, at: start) == .list(resourceVersion: "0"))
            #expect(
                state.handle(.listed(resourceVersion: "7"), at: start)
                    == .watch(resourceVersion: "7", timeout: watchTimeout))
            _ = state.handle(.watchFailed(.other), at: start)
            #expect(state.handle(.waited, at: start) == stream("7"))
        }
    }

    @Test(
        "a server that refuses to stream, or does something else, is listed at once, and asked for no stream any more")
    func notStreamed() {
        var state = state(.offered)
        _ = state.start()
        #expect(state.handle(.notStreamed, at: start) == .list(resourceVersion: "0"))
        _ = state.handle(.listed(resourceVersion: "7"), at: start)
        _ = state.handle(.watchFailed(.badVersion), at: start)
        #expect(state.handle(.waited, at: start) == .list(resourceVersion: nil))
        #expect(state.streaming == .refused)
    }

    @Test("a server that asks to come back later is given that time, in the middle of a stream as well")
    func retryAfter() {
        var state = state(.offered)
        _ = state.start()
        #expect(
            state.handle(.watchFailed(.unreachable(retryAfter: .seconds(40))), at: start) == .wait(.seconds(40)))
        var error = KubernetesError(.unavailable, "")
        error.retryAfter = .seconds(40)
        #expect(ReflectorState.Failure(error) == .unreachable(retryAfter: .seconds(40)))
    }

    @Test(
        "which errors mean that a server does not stream lists",
        arguments: [
            (KubernetesError.Code.badRequest, false, true), (.invalid, false, true), (.timeout, false, false),
            (.timeout, true, true), (.connection, true, false), (.expired, true, false), (.forbidden, false, false),
        ])
    func refusals(code: KubernetesError.Code, hasBegun: Bool, isRefusal: Bool) {
        #expect(
            ReflectorState.isRefusalToStream(KubernetesError(code, ""), hasBegun: hasBegun) == isRefusal)
    }
}
