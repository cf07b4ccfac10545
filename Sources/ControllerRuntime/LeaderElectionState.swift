public import Foundation
public import KubernetesClient

/// Who leads, decided from a Lease: a value that reads no clock and sends nothing.
///
/// Whether another's lease is over is judged from when *this* process last saw the record change, never from the times
/// in it: clocks differ. It is no fencing: two may believe that they lead for a moment.
public struct LeaderElectionState: Sendable {
    public struct Timing: Sendable {
        /// For how long a record that does not change keeps others out.
        public var lease: Duration = .seconds(15)
        /// After how long without a renewal a leader gives up.
        public var renewDeadline: Duration = .seconds(10)
        /// Between two tries.
        public var retry: Duration = .seconds(2)

        public init(
            lease: Duration = .seconds(15), renewDeadline: Duration = .seconds(10), retry: Duration = .seconds(2)
        ) {
            self.lease = lease
            self.renewDeadline = renewDeadline
            self.retry = retry
        }
    }

    public enum Action: Equatable, Sendable {
        case create(Lease.Spec)
        /// Write this, if the lease has this version still.
        case update(Lease.Spec, resourceVersion: String)
        /// Somebody else leads.
        case standBy
    }

    public let identity: String
    public let timing: Timing
    public private(set) var isLeader = false
    /// Who leads, as far as was seen.
    public private(set) var leader: String?

    private var observed: Lease.Spec?
    private var observedAt: ContinuousClock.Instant?
    private var renewedAt: ContinuousClock.Instant?

    public init(identity: String, timing: Timing = Timing()) {
        self.identity = identity
        self.timing = timing
    }

    /// What to do about the lease as it was just read; nil where there is none.
    ///
    /// - Parameters:
    ///   - now: what expiry is judged by.
    ///   - date: what is written.
    public mutating func decide(on lease: Lease?, now: ContinuousClock.Instant, date: Date) -> Action {
        guard let lease else {
            return .create(spec(acquired: date, date: date, transitions: 0))
        }
        observe(lease.spec, now: now)
        let version = lease.metadata.resourceVersion ?? ""
        let holder = lease.spec.holderIdentity ?? ""
        let transitions = lease.spec.leaseTransitions ?? 0
        if holder == identity {
            return .update(
                spec(acquired: lease.spec.acquireTime?.date ?? date, date: date, transitions: transitions),
                resourceVersion: version)
        }
        if isLeader { stop() }
        let length = lease.spec.leaseDurationSeconds.map { Duration.seconds($0) } ?? timing.lease
        guard holder.isEmpty || observedAt.map({ now - $0 >= length }) == true else { return .standBy }
        return .update(spec(acquired: date, date: date, transitions: transitions + 1), resourceVersion: version)
    }

    /// The write that was decided on came through. `sentAt` is when it was sent: the lease runs from then at the latest.
    public mutating func wrote(_ lease: Lease, sentAt: ContinuousClock.Instant) {
        observe(lease.spec, now: sentAt)
        isLeader = true
        leader = identity
        renewedAt = sentAt
    }

    /// A try failed, for whatever reason. Returns whether it leads still.
    @discardableResult
    public mutating func failed(now: ContinuousClock.Instant) -> Bool {
        if let renewalDeadline, now >= renewalDeadline { stop() }
        return isLeader
    }

    /// Until when a leader must have renewed.
    public var renewalDeadline: ContinuousClock.Instant? {
        isLeader ? renewedAt.map { $0 + timing.renewDeadline } : nil
    }

    /// Whether it leads at this moment, by the deadline, whoever has noticed that it is over.
    public func leads(at now: ContinuousClock.Instant) -> Bool { renewalDeadline.map { now < $0 } ?? false }

    /// What a leader writes as it leaves, so that the next one need not wait; nil where it does not lead.
    public mutating func release(_ lease: Lease, date: Date) -> Action? {
        guard isLeader, lease.spec.holderIdentity == identity else { return nil }
        stop()
        return .update(
            Lease.Spec(
                holderIdentity: "", leaseDurationSeconds: 1, acquireTime: MicroTimestamp(date),
                renewTime: MicroTimestamp(date), leaseTransitions: lease.spec.leaseTransitions),
            resourceVersion: lease.metadata.resourceVersion ?? "")
    }

    private mutating func observe(_ spec: Lease.Spec, now: ContinuousClock.Instant) {
        leader = spec.holderIdentity.flatMap { $0.isEmpty ? nil : $0 }
        guard spec != observed else { return }
        observed = spec
        observedAt = now
    }

    private mutating func stop() {
        isLeader = false
        renewedAt = nil
    }

    private func spec(acquired: Date, date: Date, transitions: Int) -> Lease.Spec {
        Lease.Spec(
            holderIdentity: identity, leaseDurationSeconds: Int(timing.lease.components.seconds),
            acquireTime: MicroTimestamp(acquired), renewTime: MicroTimestamp(date), leaseTransitions: transitions)
    }
}
