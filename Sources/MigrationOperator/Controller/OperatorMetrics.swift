internal import ControllerRuntime
public import KubernetesClient
public import Prometheus

/// What an operator process counts: made once for a registry, before the service and its clients are.
public struct OperatorMetrics: Sendable {
    /// The names of the loops and of their queues.
    enum Loop {
        static let migrations = "migrations"
        static let gates = "gates"
        static let confirmations = "confirmations"
        static let all = [migrations, gates, confirmations]
    }

    /// For the clients of the process.
    public let client: ClientMetrics
    let controllers: ControllerMetrics
    let queues: WorkQueueMetrics
    let leader: LeaderMetrics

    /// - Parameter registry: where they are read. It must have none of these yet.
    public init(_ registry: MetricsRegistry) {
        client = ClientMetrics(registry)
        controllers = ControllerMetrics(registry, names: Loop.all)
        queues = WorkQueueMetrics(registry, names: Loop.all)
        leader = LeaderMetrics(registry)
    }
}
