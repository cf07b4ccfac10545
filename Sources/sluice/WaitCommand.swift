public import ArgumentParser
import Foundation
import KubernetesClient
public import MigrationOperator

/// `sluice wait`: for pipelines and init containers.
struct WaitCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "wait",
        abstract: "Waits until a condition of a Migration is true.",
        discussion: """
            The condition must have been found for the spec as it is now. A Migration that does not exist yet is waited \
            for as well, and a server that is away. Exits 0 when it is true, 1 when the time is over.

            EXAMPLE:
              sluice wait split-customer-name --for Verified --timeout 10m --namespace shop
            """
    )

    @Argument(help: "The Migration.")
    var name: String

    @Option(name: .long, help: "Ready, Expanded, DualWriting, Verified, GateOpen or Contracted.")
    var `for`: MigrationCondition = .verified

    @Option(
        name: .long, help: ArgumentHelp("For how long, such as 90s (default: 10m).", valueName: "time"),
        transform: Timeout.parse)
    var timeout: Timeout = .init(duration: .seconds(600))

    @OptionGroup var namespace: NamespaceOption
    @OptionGroup var cluster: ClusterOptions

    func run() async throws {
        let client = try cluster.client()
        let key = ObjectKey(name, in: namespace.namespace ?? client.configuration.namespace)
        let clock = ContinuousClock()
        let deadline = clock.now + timeout.duration
        var last = "it does not exist"
        repeat {
            do {
                let migration = try await client.get(Migration.self, key)
                if migration.status?.holds(`for`, for: migration.metadata.generation) == true {
                    print("\(name): \(`for`.rawValue)")
                    return
                }
                last =
                    migration.status?.condition(`for`).map { "\($0.reason ?? "-"): \($0.message ?? "-")" }
                    ?? "not seen yet"
            } catch {
                guard error.isWorthWaiting else { throw error }
                last = "\(error)"
            }
            try await clock.sleep(for: .milliseconds(500))
        } while clock.now < deadline
        FileHandle.standardError.write(
            Data("Error: \(name) is not \(`for`.rawValue) after \(timeout); \(last)\n".utf8)
        )
        throw ExitCode(1)
    }
}

extension KubernetesError {
    /// Whether it may pass by itself, unlike a right that is missing.
    fileprivate var isWorthWaiting: Bool {
        [.notFound, .refused, .connection, .timeout, .unavailable, .tooManyRequests].contains(code)
    }
}

extension MigrationCondition: ExpressibleByArgument {}
