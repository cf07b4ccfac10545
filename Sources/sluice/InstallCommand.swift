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

    @Flag(name: .long, help: "Also the admission webhook's Service and its configuration; see sluice operator --help.")
    var webhook = false

    @Flag(name: .long, help: "Print the manifests, and ask no cluster.")
    var dryRun = false

    @OptionGroup var cluster: ClusterOptions

    private var parts: Installer.Parts { webhook ? [.base, .webhook] : .base }

    func run() async throws {
        if dryRun {
            print(Installer.manifests(parts), terminator: "")
            return
        }
        try await Installer(client: try cluster.client(), parts: parts).install { print($0) }
    }
}
