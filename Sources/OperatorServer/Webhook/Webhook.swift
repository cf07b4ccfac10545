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
    private let knownAccount = Mutex<String?>(nil)

    init(_ settings: WebhookSettings, client: KubernetesClient, state: OperatorState, logger: Logger) {
        self.settings = settings
        self.client = client
        self.state = state
        self.logger = logger
    }

    /// Whether requests can be answered.
    var isServing: Bool { isListening.withLock { $0 } }

    /// As whom the operator writes, this process and its replicas; nil where that is not known.
    var account: String? { knownAccount.withLock { $0 } }

    func serves() { isListening.withLock { $0 = true } }

    /// Since when the next authority is published, as far as this process has seen.
    private struct Sighting {
        var authority: String
        var at: ContinuousClock.Instant
    }

    /// What decides whether the configuration is ours to keep: a change of it is acted upon at once.
    private var isResponsible: Bool { state.isLeading && isServing }

    /// Keeps the certificate, and in the leader the configuration, until its task is cancelled.
    func run() async {
        let certificates = CertificateKeeper(settings, client: client, logger: logger)
        let configuration = WebhookConfigurationKeeper(settings, client: client, logger: logger)
        var sighting: Sighting?
        while !Task.isCancelled {
            let isResponsible = isResponsible
            do {
                try await look(certificates, configuration, &sighting)
            } catch {
                guard !Task.isCancelled else { return }
                logger.warning("the webhook could not be kept, will be tried again", metadata: ["error": "\(error)"])
            }
            await rest(while: isResponsible)
        }
    }

    private func look(
        _ certificates: CertificateKeeper, _ configuration: WebhookConfigurationKeeper, _ sighting: inout Sighting?
    ) async throws {
        let account = try await client.account()
        knownAccount.withLock { $0 = account }
        var stored = try await certificates.keep(isNextPublished: false)
        if let next = stored.next, try await configuration.isPublished(next) {
            if sighting?.authority != next.certificate { sighting = Sighting(authority: next.certificate, at: .now) }
            // API servers hear of it each in its time.
            if let sighting, .now - sighting.at >= settings.lifetimes.look {
                stored = try await certificates.keep(isNextPublished: true)
            }
        }
        try certificate.use(stored)
        // Only once somebody listens here: with the policy Fail nothing could be applied until then.
        if isResponsible {
            try await configuration.keep(trusting: stored.authorities) { [self] in isResponsible }
        }
    }

    private func rest(while wasResponsible: Bool) async {
        let end = ContinuousClock.now + settings.lifetimes.look
        while !Task.isCancelled, ContinuousClock.now < end, isResponsible == wasResponsible {
            try? await Task.sleep(for: min(.milliseconds(250), settings.lifetimes.look))
        }
    }
}
