import ArgumentParser
import MigrationOperator

/// `sluice install`: the custom resource and the operator's rights.
struct InstallCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "install",
        abstract: "Applies the custom resource and the operator's rights to a cluster.",
        discussion: """
            May be repeated. Needs the rights of an administrator of the cluster.

            EXAMPLE:
              sluice install --dry-run | kubectl diff -f -
              sluice install
            """
    )

    @Flag(name: .long, help: "Print the manifests, and ask no cluster.")
    var dryRun = false

    @OptionGroup var cluster: ClusterOptions

    func run() async throws {
        if dryRun {
            print(Installer.manifests, terminator: "")
            return
        }
        try await Installer(client: try cluster.client()).install { print($0) }
    }
}
