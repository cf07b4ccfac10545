internal import Foundation
public import KubernetesClient
public import Logging
public import Prometheus
internal import Synchronization

/// The lease was lost while the work was going on: another process may lead by now.
public struct LeadershipLost: Error, CustomStringConvertible {
    public var description: String { "the lease could not be renewed in time: another process may lead" }
}

/// Runs work in one process at a time, by a Lease: performs what ``LeaderElectionState`` says.
public final class LeaderElection: Sendable {
    private let client: KubernetesClient
    private let key: ObjectKey
    private let identity: String
    private let timing: LeaderElectionState.Timing
    private let logger: Logger
    private let status: Gauge
    /// While it leads.
    private let leading = Mutex<LeaderElectionState?>(nil)

    /// - Parameters:
    ///   - client: where the lease is; renewals go over a connection of their own.
    ///   - lease: the lease's namespace and name.
    ///   - identity: unlike that of every other process, such as the pod's name and a random part.
    ///   - metrics: where it tells whether it leads; by default nobody reads them.
    public init(
        client: KubernetesClient, lease: ObjectKey, identity: String,
        timing: LeaderElectionState.Timing = .init(), metrics: LeaderMetrics = LeaderMetrics(MetricsRegistry()),
        logger: Logger
    ) {
        self.client = client.withOwnConnection(timeout: timing.renewDeadline / 2)
        key = lease
        self.identity = identity
        self.timing = timing
        self.logger = logger
        status = metrics.status(of: lease.name)
    }

    /// By the lease's own deadline: false in a process that was stopped past it, though nobody has noticed there yet.
    public var isLeader: Bool { leading.withLock { $0?.leads(at: .now) ?? false } }

    /// Waits until this process leads, then runs `work` for as long as it does.
    ///
    /// Ends when `work` does, as it must soon after its task is cancelled; the lease is given up then, so that another
    /// process goes on at once.
    ///
    /// - Throws: ``LeadershipLost`` when the lease was lost: `work` was cancelled and has returned. Whatever `work` throws.
    @concurrent
    public func run(whileLeading work: @escaping @Sendable () async throws -> Void) async throws {
        var state = LeaderElectionState(identity: identity, timing: timing)
        while !state.isLeader {
            await attempt(&state)
            if !state.isLeader { try await pause() }
        }
        logger.notice("leading", metadata: ["lease": "\(key)", "identity": "\(identity)"])
        note(state)
        let outcome = await lead(state, work)
        note(nil)
        if outcome.state.isLeader { await release(outcome.state) }
        try outcome.result.get()
    }

    private func note(_ state: LeaderElectionState?) {
        leading.withLock { $0 = state }
        status.set(state?.isLeader == true ? 1 : 0)
    }

    private enum End: Sendable {
        case work(Result<Void, any Error>)
        case renewal(LeaderElectionState)
    }

    private struct Outcome {
        var state: LeaderElectionState
        var result: Result<Void, any Error>
    }

    /// Runs the work and the renewal until one of them ends, and then the other.
    private func lead(
        _ state: LeaderElectionState, _ work: @escaping @Sendable () async throws -> Void
    ) async -> Outcome {
        await withTaskGroup(of: End.self) { group in
            group.addTask { .work(await Self.result(of: work)) }
            group.addTask { .renewal(await self.renew(state)) }
            var outcome = Outcome(state: state, result: .success(()))
            for await end in group {
                switch end {
                case .work(let result):
                    // After a loss it ends because it was told to.
                    if outcome.state.isLeader { outcome.result = result }
                case .renewal(let ended):
                    outcome.state = ended
                    if !ended.isLeader { outcome.result = .failure(LeadershipLost()) }
                }
                group.cancelAll()
            }
            return outcome
        }
    }

    private static func result(of work: @Sendable () async throws -> Void) async -> Result<Void, any Error> {
        do {
            return .success(try await work())
        } catch {
            return .failure(error)
        }
    }

    /// Renews until the lease is lost or the task is cancelled.
    private func renew(_ state: LeaderElectionState) async -> LeaderElectionState {
        var state = state
        while state.isLeader {
            guard (try? await pause(until: state.renewalDeadline)) != nil else { return state }
            state = await renewOnce(state)
            note(state)
        }
        logger.error("lost the lease", metadata: ["lease": "\(key)", "leader": "\(state.leader ?? "nobody")"])
        return state
    }

    /// One try, cut off at the deadline: an API server that hangs must not make a leader of who is none any more.
    private func renewOnce(_ state: LeaderElectionState) async -> LeaderElectionState {
        let deadline = state.renewalDeadline ?? .now
        var renewed = await withTaskGroup(of: LeaderElectionState?.self) { group in
            group.addTask {
                var state = state
                await self.attempt(&state)
                return state
            }
            group.addTask {
                try? await ContinuousClock().sleep(until: deadline)
                return nil
            }
            var renewed = state
            for await end in group {
                if let end { renewed = end }
                group.cancelAll()
            }
            return renewed
        }
        renewed.failed(now: .now)
        return renewed
    }

    private func pause(until deadline: ContinuousClock.Instant? = nil) async throws {
        let next = ContinuousClock.now + timing.retry
        try await ContinuousClock().sleep(until: deadline.map { min($0, next) } ?? next)
    }

    /// One read and one write of the lease.
    private func attempt(_ state: inout LeaderElectionState) async {
        do {
            let lease = try await client.find(Lease.self, key)
            let sent = ContinuousClock.now
            switch state.decide(on: lease, now: sent, date: Date()) {
            case .standBy:
                break
            case .create(let spec):
                let made = try await client.create(
                    Lease.self, Lease(metadata: ObjectMeta(name: key.name, namespace: key.namespace), spec: spec))
                state.wrote(made, sentAt: sent)
            case .update(let spec, let version):
                state.wrote(try await write(spec, version), sentAt: sent)
            }
        } catch {
            guard error.code != .cancelled else { return }
            state.failed(now: .now)
            let level: Logger.Level = error.code == .conflict || error.code == .alreadyExists ? .debug : .warning
            logger.log(level: level, "cannot take or renew the lease", metadata: ["error": "\(error)"])
        }
    }

    private func write(_ spec: Lease.Spec, _ version: String) async throws(KubernetesError) -> Lease {
        var metadata = ObjectMeta(name: key.name, namespace: key.namespace)
        metadata.resourceVersion = version
        return try await client.replace(Lease.self, Lease(metadata: metadata, spec: spec))
    }

    /// Gives the lease up, also when the task was cancelled: that is when it matters. Bounded by the timeouts of the client and
    /// of its credential plugin.
    private func release(_ state: LeaderElectionState) async {
        await Task {
            // A renewal that was cancelled here may still arrive there, between our look and our write.
            for isLast in [false, false, true] {
                do {
                    var state = state
                    guard let lease = try await client.find(Lease.self, key),
                        case .update(let spec, let version) = state.release(lease, date: Date())
                    else { return }
                    _ = try await write(spec, version)
                    logger.notice("gave up the lease", metadata: ["lease": "\(key)"])
                    return
                } catch {
                    if (error as? KubernetesError)?.code == .conflict, !isLast { continue }
                    logger.warning("could not give up the lease; it runs out", metadata: ["error": "\(error)"])
                    return
                }
            }
        }.value
    }
}
