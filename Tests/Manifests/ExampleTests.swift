import Foundation
import KubernetesClient
import MigrationOperator
import TestSupport
import Testing

@Suite("The examples")
struct ExampleTests {
    private static func text(_ path: String) throws -> String {
        try String(contentsOfFile: TestServers.scripts + "/../examples/" + path, encoding: .utf8)
    }

    @Test(
        "of Flux are as the schemas of its kinds say, which are of Flux 2.5",
        arguments: ["flux/source.yaml", "flux/migrations.yaml", "flux/shop.yaml"])
    func flux(_ path: String) async throws {
        #expect(try await Chart.findings(Self.text(path), kubernetes: "1.36") == "")
    }

    @Test("of GitOps: Migrations come before the workloads that require them, for Argo CD and for Flux")
    func order() async throws {
        let folder = try TestServers.scripts + "/../examples/gitops"
        func objects(_ path: String) async throws -> [Chart.Object] {
            try Chart.objects(in: try await Program.output("kubectl", ["kustomize", folder + path]))
        }
        let all = try await objects("")
        func wave(_ kind: String) throws -> Int {
            let object = try #require(all.first { $0.kind == kind })
            let text = object.json[path: "metadata", "annotations", "argocd.argoproj.io/sync-wave"]?.string
            return try #require(text.flatMap { Int($0) })
        }
        #expect(try wave("Migration") < wave("Deployment"))
        // What a policy refuses must not keep a Migration from being applied.
        #expect(try await objects("/migrations").allSatisfy { $0.kind == "Migration" })
        #expect(try await objects("/shop").allSatisfy { $0.kind != "Migration" })
        // The health check is whole in the configuration of Argo CD.
        let config = try await Program.output("kubectl", ["kustomize", folder + "/../argo-cd"])
        let health = try Chart.objects(in: config).first?.json[
            path: "data", "resource.customizations.health.sluice.dev_Migration"]
        #expect(health?.string == (try Self.text("argo-cd/health.lua")))
    }

    @Test("of an init container: the account may look at Migrations, and that is all; sluice wait is content with it")
    func initContainer() async throws {
        let cluster = try ClusterConfiguration.load(kubeconfig: TestServers.kubeconfig, environment: [:])
        try await Installer(client: KubernetesClient(cluster, version: "test")).install()
        try await withNamespace { namespace in
            let kubectl = try Kubectl(namespace: namespace)
            let manifests = try Self.text("init-container/deployment.yaml")
                .replacing("namespace: shop", with: "namespace: \(namespace)")
            #expect(try await Chart.findings(manifests, kubernetes: "1.36") == "")
            try await kubectl("apply", "-f", "-", input: manifests)
            func may(_ verb: String, _ resource: String) async throws -> Bool {
                try await kubectl.result(
                    of: "auth", "can-i", verb, resource, "--as=system:serviceaccount:\(namespace):shop-api"
                ).standardOutput.hasPrefix("yes")
            }
            #expect(try await may("get", "migrations.sluice.dev"))
            for (verb, resource) in [("list", "migrations.sluice.dev"), ("get", "secrets"), ("get", "pods")] {
                #expect(try await !may(verb, resource), "\(verb) \(resource)")
            }
            let token = try await kubectl("create", "token", "shop-api")
            let folder = try TestServers.folder + "/" + uniqueName("wait")
            try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
            let config = try await kubectl("config", "view", "--raw", "--minify", "--output=json")
            var parsed = try JSONValue(parsing: config)
            parsed["users"] = [["name": "account", "user": ["token": .string(token)]]]
            let cluster = try #require(parsed["clusters"]?.array?.first?["name"])
            parsed["contexts"] = [["name": "account", "context": ["cluster": cluster, "user": "account"]]]
            parsed["current-context"] = "account"
            try parsed.text.write(toFile: folder + "/config", atomically: true, encoding: .utf8)
            let deployment = try #require(try Chart.objects(in: manifests).first { $0.kind == "Deployment" })
            let container = deployment.json[path: "spec", "template", "spec"]?["initContainers"]?.array?.first
            let arguments = try #require(container?["args"]?.array).compactMap(\.string)
                .map { $0 == "1h" ? "1s" : $0 }
            let output = try await Program.run(
                try TestServers.sluice, arguments + ["--namespace", namespace, "--kubeconfig", folder + "/config"])
            #expect(output.status == 1 && output.standardError.contains("after 1s"), "\(output.standardError)")
        }
    }
}
