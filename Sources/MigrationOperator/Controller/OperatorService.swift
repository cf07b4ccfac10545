internal import ControllerRuntime
internal import Foundation
internal import KubernetesClient
public import Logging
internal import MigrationEngine
public import Prometheus

/// The operator: waits until it leads, then watches Migrations and Deployments and reconciles them.
///
/// Stop it by cancelling its task: engines are cancelled and give their leases in the targets back, then the Lease in
/// the cluster is given up. Nothing is lost by killing it instead; another process waits for the leases to run out.
public struct OperatorService: Sendable {
    private let configuration: OperatorConfiguration
    private let state: OperatorState
    private let metrics: OperatorMetrics
    private let logger: Logger
    private let client: KubernetesClient

    /// - Parameters:
    ///   - state: is told how far it is.
    ///   - metrics: where it counts; by default nobody reads them.
    public init(
        _ configuration: OperatorConfiguration, state: OperatorState = OperatorState(),
        metrics: OperatorMetrics = OperatorMetrics(MetricsRegistry()), logger: Logger
    ) {
        self.configuration = configuration
        self.state = state
        self.metrics = metrics
        self.logger = logger
        client = KubernetesClient(configuration.cluster, version: configuration.version, metrics: metrics.client)
    }

    /// Runs until its task is cancelled.
    ///
    /// - Throws: ``KubernetesError`` where the cluster does not know the kind Migration, or does not let us in. A server
    ///   that is away is waited for.
    @concurrent
    public func run() async throws {
        defer { state.stops() }
        FreedMemory.giveBackSoon()
        do {
            try await findResource()
            state.standsBy()
            let times = configuration.leadership
            let election = LeaderElection(
                client: client,
                lease: ObjectKey(configuration.leaseName, in: configuration.leaseNamespace),
                identity: configuration.identity,
                timing: .init(lease: times.lease, renewDeadline: times.renewDeadline, retry: times.retry),
                metrics: metrics.leader, logger: logger)
            while !Task.isCancelled {
                do {
                    try await election.run(whileLeading: { await self.lead { election.isLeader } })
                } catch let lost as LeadershipLost {
                    logger.warning("\(lost); waiting to lead again")
                }
            }
        } catch is CancellationError {
            // Asked to stop.
        }
        logger.notice("stopped")
    }

    /// Waits for the server, not for the custom resource: that is somebody's to install.
    private func findResource() async throws {
        while true {
            do {
                guard try await client.supports(Migration.resource) else {
                    throw KubernetesError(
                        .notFound, "the cluster does not know the kind Migration (sluice.dev/v1alpha1): sluice install")
                }
                return
            } catch let error as KubernetesError where Self.passes.contains(error.code) {
                logger.warning("the API server is away, trying again", metadata: ["error": "\(error)"])
            }
            try await Task.sleep(for: .seconds(2))
        }
    }

    private static let passes: Set<KubernetesError.Code> = [
        .refused, .connection, .timeout, .unavailable, .tooManyRequests,
    ]

    /// Everything that only the leader does.
    private func lead(hasLease: @escaping @Sendable () -> Bool) async {
        // A process that was stopped past its lease writes nothing when it wakes, with caches that are old or half of them new.
        let client = client.writing(while: hasLease)
        let team = OperatorTeam(configuration, client: client, metrics: metrics, logger: logger)
        state.leads(team, hasLease: hasLease)
        await team.run()
        state.standsBy()
    }
}
