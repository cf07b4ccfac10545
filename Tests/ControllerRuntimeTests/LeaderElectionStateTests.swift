import ControllerRuntime
import Foundation
import KubernetesClient
import Testing

@Suite("Who leads")
struct LeaderElectionStateTests {
    private let start = ContinuousClock.now
    private let date = Date(timeIntervalSince1970: 1_700_000_000)

    private func lease(_ holder: String?, renewed: Double = 0, length: Int = 15, version: String = "1") -> Lease {
        var metadata = ObjectMeta(name: "operator", namespace: "sluice")
        metadata.resourceVersion = version
        return Lease(
            metadata: metadata,
            spec: Lease.Spec(
                holderIdentity: holder, leaseDurationSeconds: length, acquireTime: MicroTimestamp(date),
                renewTime: MicroTimestamp(date.addingTimeInterval(renewed)), leaseTransitions: 4))
    }

    private func holder(_ action: LeaderElectionState.Action) -> String? {
        switch action {
        case .create(let spec), .update(let spec, _): spec.holderIdentity
        case .standBy: nil
        }
    }

    @Test("where there is no lease it makes one")
    func creates() {
        var state = LeaderElectionState(identity: "me")
        guard case .create(let spec) = state.decide(on: nil, now: start, date: date) else {
            Issue.record("it must create")
            return
        }
        #expect(spec.holderIdentity == "me")
        #expect(spec.leaseDurationSeconds == 15)
        #expect(!state.isLeader)
        state.wrote(lease("me"), sentAt: start)
        #expect(state.isLeader)
    }

    @Test("another's lease that was over long ago by its own times keeps it out for 15 s of its own watching")
    func localExpiry() {
        var state = LeaderElectionState(identity: "me")
        let old = lease("other", renewed: -100_000)
        #expect(state.decide(on: old, now: start, date: date) == .standBy)
        #expect(state.decide(on: old, now: start + .seconds(14.9), date: date) == .standBy)
        let action = state.decide(on: old, now: start + .seconds(15), date: date)
        #expect(holder(action) == "me")
        guard case .update(let spec, let version) = action else { return }
        #expect(version == "1")
        #expect(spec.leaseTransitions == 5)
    }

    @Test("a lease that is renewed keeps it out, whatever its times say")
    func renewalSeen() {
        var state = LeaderElectionState(identity: "me")
        for round in 0..<10 {
            let renewed = lease("other", renewed: Double(round) - 100_000)
            #expect(state.decide(on: renewed, now: start + .seconds(10 * round), date: date) == .standBy)
        }
    }

    @Test("a lease that was given up is taken at once")
    func released() {
        var state = LeaderElectionState(identity: "me")
        #expect(holder(state.decide(on: lease("", length: 1), now: start, date: date)) == "me")
        #expect(holder(state.decide(on: lease(nil), now: start, date: date)) == "me")
    }

    @Test("a leader that cannot renew for 10 s leads no more, before another may")
    func renewDeadline() {
        var state = LeaderElectionState(identity: "me")
        state.wrote(lease("me"), sentAt: start)
        state.failed(now: start + .seconds(9))
        #expect(state.isLeader)
        state.failed(now: start + .seconds(10))
        #expect(!state.isLeader)
    }

    @Test("a leader that sees another's name in the lease leads no more")
    func deposed() {
        var state = LeaderElectionState(identity: "me")
        state.wrote(lease("me"), sentAt: start)
        #expect(state.decide(on: lease("other", version: "2"), now: start + .seconds(2), date: date) == .standBy)
        #expect(!state.isLeader)
        #expect(state.leader == "other")
    }

    @Test("leaving, a leader empties the lease and makes it a second long")
    func releases() {
        var state = LeaderElectionState(identity: "me")
        state.wrote(lease("me"), sentAt: start)
        guard case .update(let spec, let version)? = state.release(lease("me", version: "9"), date: date) else {
            Issue.record("it must write")
            return
        }
        #expect(spec.holderIdentity == "")
        #expect(spec.leaseDurationSeconds == 1)
        #expect(version == "9")
        #expect(state.release(lease("me"), date: date) == nil)
    }

    @Test("leads by the deadline of its last renewal, whether that was noticed or not")
    func leadsUntil() {
        var state = LeaderElectionState(identity: "me")
        #expect(!state.leads(at: start))
        _ = state.decide(on: nil, now: start, date: date)
        state.wrote(lease("me"), sentAt: start)
        #expect(state.leads(at: start + .seconds(9.9)) && !state.leads(at: start + .seconds(10)))
        #expect(state.isLeader, "nobody has noticed yet")
        state.wrote(lease("me", renewed: 1), sentAt: start + .seconds(5))
        #expect(state.leads(at: start + .seconds(14.9)))
    }
}
