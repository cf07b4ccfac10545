import ArgumentParser
import Foundation
import KubernetesClient
import Logging
import MigrationOperator
import OperatorServer
import Prometheus

/// `sluice operator`: the daemon.
struct OperatorCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "operator",
        abstract: "Watches Migrations and walks each to the phase that it asks for.",
        discussion: """
            Runs until SIGTERM, then gives its leases back and exits 0 within seconds. Killed, it loses nothing: the \
            next one goes on from the exact chunk. Of several, one leads; all serve what they are told to serve.

            EXAMPLE:
              sluice install
              sluice operator --namespace shop --health-probe-bind-address :8081 --metrics-bind-address :8080
            """
    )

    @OptionGroup var cluster: ClusterOptions

    @Option(name: .shortAndLong, help: "A namespace to watch; may be repeated. None means all.")
    var namespace: [String] = []

    @Option(name: .long, help: "The namespace of the Lease by which one operator is elected.")
    var leaseNamespace = "sluice-system"

    @Option(
        name: .long,
        help: ArgumentHelp(
            "Who this is, in the Lease and in events; else the host's name and a random suffix.",
            discussion: "One that is started again under the same name takes its Lease back at once."
        )
    )
    var identity: String?

    @Option(name: .long, help: "How long, in seconds, the Lease keeps other operators out.")
    var leaderLeaseSeconds: Double = 15

    @Option(name: .long, help: "How long, in seconds, a worker may be silent before another takes over.")
    var leaseSeconds: Double = 10

    @Option(name: .long, help: "How often, in seconds, a proof at rest is looked at, and what was written since.")
    var proofSeconds: Double = 60

    @Option(name: .long, help: "Objects of a kind that are reconciled at the same time; half as many in one namespace.")
    var concurrency = 8

    @Option(
        name: .long,
        help: ArgumentHelp(
            "Migrations that are worked on at the same time; half as many in one namespace.",
            discussion: "Each has some sessions in its database."
        )
    )
    var concurrentMigrations = 16

    @OptionGroup(title: "Serving") var serving: ServingOptions
    @OptionGroup(title: "The webhook") var webhook: WebhookOptions
    @OptionGroup var log: LogOptions

    func validate() throws {
        guard (2...3600).contains(leaderLeaseSeconds), (1...86_400).contains(leaseSeconds),
            (1...86_400).contains(proofSeconds), (1...1000).contains(concurrency),
            (1...1000).contains(concurrentMigrations)
        else {
            throw ValidationError(
                "--leader-lease-seconds is from 2 to 3600, --lease-seconds and --proof-seconds from 1 to 86400, "
                    + "--concurrency and --concurrent-migrations from 1 to 1000"
            )
        }
    }

    func run() async throws {
        let process = ProcessInfo.processInfo
        var configuration = OperatorConfiguration(
            cluster: try cluster.configuration(),
            identity: identity ?? "\(process.hostName)_\(UUID().uuidString.lowercased())"
        )
        configuration.namespaces = namespace
        configuration.leaseNamespace = leaseNamespace
        configuration.workerLease = .seconds(leaseSeconds)
        configuration.proofInterval = .seconds(proofSeconds)
        configuration.leadership = (
            lease: .seconds(leaderLeaseSeconds),
            renewDeadline: .seconds(leaderLeaseSeconds * 2 / 3),
            retry: .seconds(leaderLeaseSeconds * 2 / 15)
        )
        configuration.concurrency = concurrency
        configuration.concurrentMigrations = concurrentMigrations
        configuration.version = Sluice.version
        let logger = try log.logger("sluice", standard: .info)
        let state = OperatorState()
        let registry = MetricsRegistry()
        let metrics = OperatorMetrics(registry)
        let service = OperatorService(configuration, state: state, metrics: metrics, logger: logger)
        var settings = try serving.settings()
        settings.webhook = try webhook.settings(for: configuration)
        let client = KubernetesClient(configuration.cluster, version: Sluice.version, metrics: metrics.client)
        let server = OperatorServer(settings, client: client, state: state, registry: registry, logger: logger)
        // Asked to stop, it has stopped: that is success.
        _ = try await untilSignalled {
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { try await service.run() }
                group.addTask {
                    try await server.run { logger.notice("serving \($0)") }
                }
                // One that fails ends the other.
                defer { group.cancelAll() }
                while try await group.next() != nil {}
            }
        }
    }
}
