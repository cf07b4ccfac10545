import KubernetesClient
import TestSupport
import YAML

/// The chart in `charts/`, rendered by Helm's own code.
enum Chart {
    /// An object of a rendered chart.
    struct Object: Sendable, CustomStringConvertible {
        let json: JSONValue

        var apiVersion: String { json["apiVersion"]?.string ?? "" }
        var kind: String { json["kind"]?.string ?? "" }
        var name: String { json[path: "metadata", "name"]?.string ?? "" }
        var namespace: String? { json[path: "metadata", "namespace"]?.string }
        var description: String { "\(kind)/\(name)" }
    }

    static func render(_ values: String, name: String = "sluice", namespace: String = "sluice-system") async throws
        -> String
    {
        let output = try await result(of: values, name: name, namespace: namespace)
        guard output.status == 0 else { throw TestFailure(output.standardError) }
        return output.standardOutput
    }

    static func result(
        of values: String, name: String = "sluice", namespace: String = "sluice-system"
    ) async throws -> Program.Output {
        // The first one makes the environment.
        try await Program.run(
            try TestServers.scripts + "/manifests",
            ["render", "--name", name, "--namespace", namespace, "--values", "-"], input: values, within: .seconds(300))
    }

    static func objects(in text: String) throws -> [Object] {
        try YAML.documents(in: text).map { Object(json: JSONValue($0)) }
    }

    /// What the schemas of the kinds say against it; nothing, where all is well.
    static func findings(_ manifests: String, kubernetes version: String) async throws -> String {
        try await Program.run(
            try TestServers.scripts + "/manifests", ["schemas", "--kubernetes", version], input: manifests,
            within: .seconds(300)
        ).standardOutput
    }
}
