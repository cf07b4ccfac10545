internal import HummingbirdCore
public import KubernetesClient
public import Logging
public import MigrationOperator
public import Prometheus

/// What an operator process serves over HTTP: probes, metrics, the state of gates for others to ask, and the admission
/// webhook with its certificates. Every replica serves all of it, whether it leads or not.
///
/// It keeps nothing: what it says comes from ``OperatorState``, or from the API server at that moment.
public struct OperatorServer: Sendable {
    private let settings: OperatorServerSettings
    private let client: KubernetesClient
    private let state: OperatorState
    private let registry: MetricsRegistry
    private let logger: Logger

    /// - Parameters:
    ///   - client: for live reads of Migrations, and for the webhook's Secret and configuration.
    ///   - registry: what `/metrics` shows. The metrics of Migrations are added to it here.
    public init(
        _ settings: OperatorServerSettings, client: KubernetesClient, state: OperatorState,
        registry: MetricsRegistry = MetricsRegistry(), logger: Logger
    ) {
        self.settings = settings
        self.client = client
        self.state = state
        self.registry = registry
        self.logger = logger
        MigrationMetrics.register(in: registry, of: state)
    }

    /// Serves until its task is cancelled, or returns at once where nothing is to be served. When it is cancelled, the webhook
    /// is served for ``WebhookSettings/linger`` still, and what is being answered is finished, within ten seconds.
    ///
    /// - Parameter listening: is called with what is served where, as `health probes at http://127.0.0.1:8081`.
    /// - Throws: when it cannot listen. Certificates that cannot be had are waited for.
    public func run(listening: @escaping @Sendable (String) -> Void = { _ in }) async throws {
        guard !settings.isEmpty else { return }
        let pulse = LoopPulse()
        let webhook = settings.webhook.map { Webhook($0, client: client, state: state, logger: logger) }
        let offers = OfferedRoutes(
            state: state, pulse: pulse, registry: registry,
            gates: GateDesk(client: client, logger: logger), webhook: webhook)
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { await pulse.run() }
            if let webhook { group.addTask { await webhook.run() } }
            for place in settings.places {
                group.addTask {
                    try await Listener(place.address, offers.responder(of: place.offers), logger: logger).run {
                        listening("\(place.offers) at http://\(place.address.host):\($0)")
                    }
                }
            }
            if let webhook {
                group.addTask {
                    // Nobody could be served before there is a certificate.
                    try await webhook.certificate.waitUntilThere()
                    let address = webhook.settings.address
                    let listener = Listener(
                        address, offers.webhookResponder, tls: webhook.certificate, logger: logger)
                    try await listener.run(linger: webhook.settings.linger) {
                        webhook.serves()
                        listening("webhook at https://\(address.host):\($0)/mutate")
                    }
                }
            }
            // One that fails ends all.
            defer { group.cancelAll() }
            do {
                while try await group.next() != nil {}
            } catch is CancellationError {
                // Asked to stop before there was a certificate.
            }
        }
    }
}
