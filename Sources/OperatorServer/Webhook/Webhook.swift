internal import KubernetesClient
internal import Logging
internal import MigrationOperator
internal import Synchronization

/// The admission webhook of one process: its settings, its certificate, and the tasks that keep both right.
final class Webhook: Sendable {
    let settings: WebhookSettings
    let certificate = ServedCertificate()
    private let client: KubernetesClient
    private let state: OperatorState
    private let logger: Logger
    private let isListening = Mutex(false)

    init(_ settings: WebhookSettings, client: KubernetesClient, state: OperatorState, logger: Logger) {
        self.settings = settings
        self.client = client
        self.state = state
        self.logger = logger
    }

    /// Whether requests can be answered.
    var isServing: Bool { isListening.withLock { $0 } }

    func serves() { isListening.withLock { $0 = true } }

    /// Keeps the certificate, and in the leader the configuration, until its task is cancelled.
    func run() async {
        let certificates = CertificateKeeper(settings, client: client, logger: logger)
        let configuration = WebhookConfigurationKeeper(settings, client: client, logger: logger)
        var isPublished = false
        while !Task.isCancelled {
            do {
                let stored = try await certificates.keep(isNextPublished: isPublished)
                try certificate.use(stored)
                // Only once somebody listens here: with the policy Fail nothing could be applied until then.
                if state.isLeading, isServing {
                    try await configuration.keep(trusting: stored.authorities)
                }
                isPublished = try await configuration.isPublished(stored.next)
            } catch {
                guard !Task.isCancelled else { return }
                logger.warning("the webhook could not be kept", metadata: ["error": "\(error)"])
            }
            try? await Task.sleep(for: settings.lifetimes.look)
        }
    }
}
