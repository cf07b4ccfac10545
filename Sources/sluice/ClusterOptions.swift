import ArgumentParser
import Foundation
import KubernetesClient

/// Which cluster, as kubectl finds it; in a pod, its own.
struct ClusterOptions: ParsableArguments {
    @Option(name: .long, help: "A kubeconfig file; else $KUBECONFIG, the pod's own cluster, or ~/.kube/config.")
    var kubeconfig: String?

    @Option(name: .long, help: "A context of the kubeconfig; else its current one.")
    var context: String?

    func configuration() throws -> ClusterConfiguration {
        try ClusterConfiguration.load(
            kubeconfig: kubeconfig,
            context: context,
            environment: ProcessInfo.processInfo.environment
        )
    }

    func client() throws -> KubernetesClient {
        KubernetesClient(try configuration(), version: Sluice.version)
    }
}

/// One namespace: the one that is named, or the context's.
struct NamespaceOption: ParsableArguments {
    @Option(name: .shortAndLong, help: "The namespace; else that of the context, or default.")
    var namespace: String?
}
