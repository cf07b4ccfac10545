import ArgumentParser
import Foundation
import Logging
import MigrationOperator

/// `sluice operator`: the daemon.
struct OperatorCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "operator",
        abstract: "Watches Migrations and walks each to the phase that it asks for.",
        discussion: """
            Runs until SIGTERM, then gives its leases back and exits 0 within seconds. Killed, it loses nothing: the \
            next one goes on from the exact chunk. Of several, one leads.

            EXAMPLE:
              sluice install
              sluice operator --namespace shop
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

    @Option(name: .long, help: "Objects of a kind that are reconciled at the same time.")
    var concurrency = 4

    @Option(
        name: .long,
        help: "Migrations that are worked on at the same time; each has some sessions in its database."
    )
    var concurrentMigrations = 16

    @OptionGroup var log: LogOptions

    func validate() throws {
        guard leaderLeaseSeconds >= 2, leaseSeconds >= 1, proofSeconds >= 1, concurrency >= 1, concurrentMigrations >= 1
        else {
            throw ValidationError(
                "--leader-lease-seconds is at least 2; --lease-seconds, --proof-seconds, --concurrency and "
                    + "--concurrent-migrations are at least 1"
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
        let service = OperatorService(configuration, logger: try log.logger("sluice", standard: .info))
        // Asked to stop, it has stopped: that is success.
        _ = try await untilSignalled { try await service.run() }
    }
}
