public import ArgumentParser
import DurablePromises
import Foundation
import Logging
import PostgreSQL
public import PromiseServer

/// `sluice server`: the promise coordinator on its own.
struct ServerCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "server",
        abstract: "Serves durable promises over HTTP, from a PostgreSQL database.",
        discussion: """
            Speaks the Resonate protocol, version 2026-04-01: its SDKs are clients. Keeps everything in the schema sluice \
            of the database, whose tables it makes; any number of servers may stand before one. Says where it listens, \
            waits for a database that is away, and runs until SIGTERM; then it ends what is running and exits 0.

            Every option may come from the environment as well: --max-streams is SLUICE_MAX_STREAMS.

            EXAMPLE:
              export SLUICE_DATABASE_URL=postgresql://app@db.example/promises
              sluice server --listen 127.0.0.1:8001
            """
    )

    @Option(
        name: .long,
        help: ArgumentHelp(
            "Where to listen; port 0 is any that is free (default: 127.0.0.1:8001).", valueName: "host:port"),
        transform: ListenAddress.parse
    )
    var listen: ListenAddress?

    @Option(
        name: .long,
        help: ArgumentHelp("Where to serve /metrics; else with everything else.", valueName: "host:port"),
        transform: ListenAddress.parse
    )
    var metricsListen: ListenAddress?

    @Option(name: .long, help: "What messages call this server; else as the worker's stream called it.")
    var url: String?

    @OptionGroup var database: DatabaseOptions

    @Option(name: .long, help: "Transactions at the same time, up to 64; each needs a connection (default: 2).")
    var lanes: Int?

    @Option(name: .long, help: "Threads that read requests and write answers, up to 256 (default: 1).")
    var threads: Int?

    @Flag(name: .long, help: "Refuse what the reference model refuses, though clients in the field send it.")
    var strict = false

    @Option(
        name: .long,
        help: ArgumentHelp("How long settled promises are kept, such as 720h; else for ever.", valueName: "time"),
        transform: Timeout.parse
    )
    var retention: Timeout?

    @Option(
        name: .long,
        help: ArgumentHelp(
            "After how long a task that nobody took is offered again (default: 5s).",
            discussion: "Each time after the first it is twice as long, up to a minute.",
            valueName: "time"
        ),
        transform: Timeout.parse
    )
    var retryInterval: Timeout?

    @Option(
        name: .long,
        help: ArgumentHelp(
            "A host, as name or name:port, that messages may be posted to; may be repeated. None means any.",
            discussion: "In SLUICE_PUSH_HOST several are separated by commas.",
            valueName: "host"
        )
    )
    var pushHost: [String] = []

    @OptionGroup(title: "Access") var access: ServerAccessOptions
    @OptionGroup(title: "Limits") var limits: ServerLimitOptions
    @OptionGroup var log: LogOptions

    func validate() throws {
        try PasswordArgument.refuse(url, instead: "SLUICE_URL")
    }

    func run() async throws {
        let logger = try log.logger("sluice", standard: .info)
        let url = try EnvironmentSetting.value(url, "SLUICE_URL")
        let metrics = ServerMetrics()
        let settings = ServerSettings(
            listen: try EnvironmentSetting.value(
                listen, "SLUICE_LISTEN", else: ListenAddress(host: "127.0.0.1", port: 8001)
            ),
            metricsListen: try EnvironmentSetting.value(metricsListen, "SLUICE_METRICS_LISTEN"),
            url: url,
            limits: try limits.limits(),
            authenticator: try await access.authenticator(),
            isDebugging: try access.isDebugging(),
            threads: try EnvironmentSetting.number(threads, "SLUICE_THREADS", else: 1, in: 1...256)
        )
        let webhook = WebDelivery(url: url, hosts: try pushHosts(), metrics: metrics, logger: logger)
        var storeSettings = try storeSettings(webhook)
        storeSettings.didSchedule = { metrics.scheduled($0) }
        var configuration = try database.configuration("sluice/server")
        configuration.answerTimeout = .seconds(30)
        let pool = PostgresPool(configuration, maximum: storeSettings.lanes + 4)
        let store = PromiseStore(pool: pool, settings: storeSettings, logger: logger)
        metrics.watch(store)
        FileDescriptors.allowMany()
        logger.notice("\(ServerAccessOptions.rule(settings.authenticator))")
        // Asked to stop, it has stopped: that is success.
        _ = try await untilSignalled {
            try await PromiseService(store, pool, settings, metrics, logger).run()
        }
    }

    private func storeSettings(_ webhook: WebDelivery) throws -> PromiseStore.Settings {
        var rules = PromiseRules(isStrict: try EnvironmentSetting.flag(strict, "SLUICE_STRICT"))
        if let interval = try EnvironmentSetting.positive(retryInterval, "SLUICE_RETRY_INTERVAL") {
            rules.retryInterval = max(1, Int64(interval / .milliseconds(1)))
        }
        return PromiseStore.Settings(
            rules: rules,
            lanes: try EnvironmentSetting.number(lanes, "SLUICE_LANES", else: 2, in: 1...64),
            retention: try EnvironmentSetting.positive(retention, "SLUICE_RETENTION"),
            webhook: webhook,
            isDebugging: try access.isDebugging()
        )
    }

    /// Nil when there may be any.
    private func pushHosts() throws -> Set<PushHost>? {
        let hosts = try EnvironmentSetting.list(pushHost, "SLUICE_PUSH_HOST").map { text in
            guard let host = PushHost(text) else {
                throw ValidationError(
                    """
                    \"\(text.printable)\" can match no host; --push-host and SLUICE_PUSH_HOST (several by comma) take \
                    a name or an address as it stands in a URL, such as hook.example, hook.example:8443 or [::1]:8443, \
                    and are left out to allow any
                    """
                )
            }
            return host
        }
        return hosts.isEmpty ? nil : Set(hosts)
    }
}

extension ListenAddress: ExpressibleByArgument {
    public init?(argument: String) {
        self.init(argument)
    }

    /// For an option that says what is wrong.
    fileprivate static func parse(_ argument: String) throws -> ListenAddress {
        guard let address = ListenAddress(argument) else {
            throw ValidationError(
                "an address is HOST:PORT, such as 127.0.0.1:8001, [::1]:8001, or :8001 for all of this machine")
        }
        return address
    }
}
