import Foundation
import KubernetesClient
import TestSupport
import Testing

@Suite("The chart")
struct ChartTests {
    /// Values, with the namespaces of the test where they name some.
    struct Values: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let text: String
        let kinds: Set<String>
    }

    private static let base: Set<String> = [
        "CustomResourceDefinition", "ServiceAccount", "Role", "RoleBinding", "ClusterRole", "Deployment", "Service",
    ]

    static let sets: [Values] = [
        .init(testDescription: "by default", text: "{}", kinds: base.union(["ClusterRoleBinding"])),
        .init(
            testDescription: "everything on, highly available",
            text: """
                replicas: 3
                commonLabels: {team: data}
                image: {repository: registry.example/sluice, digest: "sha256:\(String(repeating: "a", count: 64))"}
                imagePullSecrets: [{name: pull}]
                serviceAccount: {annotations: {cloud.example/role: sluice}}
                log: {level: debug, format: json}
                extraArgs: [--concurrent-migrations=4]
                extraEnv: [{name: TZ, value: UTC}, {name: X, valueFrom: {fieldRef: {fieldPath: spec.nodeName}}}]
                metrics:
                  service: {annotations: {prometheus.io/scrape: "true"}}
                  serviceMonitor:
                    create: Always
                    labels: {release: prometheus}
                    metricRelabelings: [{action: labeldrop, regex: pod}]
                webhook:
                  enabled: true
                  failurePolicy: Fail
                  namespaceSelector: {matchLabels: {team: data}}
                  objectSelector: {matchExpressions: [{key: sluice.dev/ignore, operator: DoesNotExist}]}
                podDisruptionBudget: {maxUnavailable: 50%}
                networkPolicy:
                  enabled: true
                  metricsFrom: [{namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: monitoring}}}]
                  egress: [{ports: [{port: 5432, protocol: TCP}]}, {ports: [{port: 443}]}]
                priorityClassName: system-cluster-critical
                nodeSelector: {kubernetes.io/os: linux}
                tolerations: [{key: dedicated, operator: Exists}]
                affinity:
                  nodeAffinity:
                    preferredDuringSchedulingIgnoredDuringExecution:
                    - weight: 1
                      preference: {matchExpressions: [{key: zone, operator: In, values: [a]}]}
                podAnnotations: {a: b}
                podLabels: {c: d}
                """,
            kinds: base.union([
                "ClusterRoleBinding", "MutatingWebhookConfiguration", "NetworkPolicy", "PodDisruptionBudget",
                "ServiceMonitor",
            ])),
        .init(
            testDescription: "of some namespaces, with the least rights",
            text: """
                watchNamespaces: [NAMESPACE, sluice-other]
                crds: {enabled: false}
                rbac: {roles: false}
                metrics: {enabled: false}
                gates: {enabled: false}
                """,
            kinds: ["ServiceAccount", "Role", "RoleBinding", "Deployment"]),
    ]

    @Test("renders objects that the API server takes, and the schemas of newer ones", arguments: sets)
    func renders(_ values: Values) async throws {
        try await withNamespace { namespace in
            let kubectl = try Kubectl()
            _ = try await kubectl.result(of: "create", "namespace", "sluice-other")
            let text = try await Chart.render(
                values.text.replacing("NAMESPACE", with: namespace), name: "test", namespace: namespace)
            let objects = try Chart.objects(in: text)
            #expect(Set(objects.map(\.kind)) == values.kinds)

            for version in ["1.25", "1.36"] {
                #expect(try await Chart.findings(text, kubernetes: version) == "")
            }
            // What a server that is older does not serve is left to the schemas.
            let served = Set(try await kubectl("api-versions").split(separator: "\n").map(String.init))
            let known = objects.filter { served.contains($0.apiVersion) }
            #expect(objects.count - known.count <= 2)
            let list: JSONValue = ["apiVersion": "v1", "kind": "List", "items": .array(known.map(\.json))]
            let answer = try await kubectl(
                "apply", "--server-side", "--dry-run=server", "--force-conflicts", "--validate=false", "-f", "-",
                input: list.text)
            #expect(answer.split(separator: "\n").count == known.count, "\(answer)")
        }
    }

    @Test("passes the Pod Security Standard restricted, and keeps replicas apart")
    func hardens() async throws {
        for values in ["{}", "replicas: 2"] {
            let objects = try Chart.objects(in: try await Chart.render(values))
            let deployment = try #require(objects.first { $0.kind == "Deployment" }).json
            let pod = try #require(deployment[path: "spec", "template", "spec"])
            let container = try #require(pod["containers"]?.array?.first)
            #expect(pod[path: "securityContext", "runAsNonRoot"] == true)
            #expect(pod[path: "securityContext", "seccompProfile", "type"] == "RuntimeDefault")
            #expect(container[path: "securityContext", "allowPrivilegeEscalation"] == false)
            #expect(container[path: "securityContext", "readOnlyRootFilesystem"] == true)
            #expect(container[path: "securityContext", "capabilities"] == ["drop": ["ALL"]])
            #expect(container["livenessProbe"] != nil && container["readinessProbe"] != nil)
            let isMany = values != "{}"
            #expect((pod["topologySpreadConstraints"] != nil) == isMany)
            #expect(objects.contains { $0.kind == "PodDisruptionBudget" } == isMany)
        }
    }

    @Test("the arguments that it gives are those that the program takes")
    func arguments() async throws {
        let text = try await Chart.render(Self.sets[1].text + "\nwatchNamespaces: [shop]")
        let deployment = try #require(try Chart.objects(in: text).first { $0.kind == "Deployment" }).json
        let container = try #require(deployment[path: "spec", "template", "spec", "containers"]?.array?.first)
        let arguments = (container["args"]?.array ?? []).compactMap(\.string)
        #expect(arguments.first == "operator" && arguments.contains("--webhook-failure-policy=Fail"))
        #expect(arguments.contains(#"--webhook-namespace-selector={"matchLabels":{"team":"data"}}"#))
        // A server that is nowhere: what is looked at is whether it gets so far.
        let folder = try TestServers.folder + "/" + uniqueName("chart")
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        try "apiVersion: v1\nkind: Config\n".write(toFile: folder + "/config", atomically: true, encoding: .utf8)
        let output = try await Program.run(
            try TestServers.sluice, arguments + ["--kubeconfig", folder + "/config"], within: .seconds(60))
        #expect(output.status == 1, "64 is a mistake on the command line\n\(output.standardError)")
        #expect(output.standardError.contains("current-context"), "\(output.standardError)")
    }

    static let refused: [(values: String, message: String)] = [
        ("replica: 2", "additional properties 'replica' not allowed"),
        (#"replicas: "2""#, "'/replicas': got string, want integer"),
        ("replicas: -1", "/replicas"),
        ("image: {tag: 'a b'}", "/image/tag"),
        ("image: {digest: 'sha256:short'}", "/image/digest"),
        ("image: sluice", "'/image': got string, want object"),
        ("image: {pullPolicy: Sometimes}", "/image/pullPolicy"),
        ("log: {format: xml}", "/log/format"),
        ("log: {level: loud}", "/log/level"),
        ("watchNamespaces: shop", "/watchNamespaces"),
        ("watchNamespaces: [Shop]", "/watchNamespaces/0"),
        ("watchNamespaces: [shop, shop]", "/watchNamespaces"),
        ("webhook: {failurePolicy: Maybe}", "/webhook/failurePolicy"),
        ("webhook: {port: 80}", "/webhook/port"),
        ("webhook: {objectSelector: {team: data}}", "additional properties 'team' not allowed"),
        ("metrics: {serviceMonitor: {create: true}}", "/metrics/serviceMonitor/create"),
        ("metrics: {serviceMonitor: {enabled: true}}", "additional properties 'enabled' not allowed"),
        ("crds: {keep: 'no'}", "/crds/keep"),
        ("podDisruptionBudget: {maxUnavailable: half}", "/podDisruptionBudget/maxUnavailable"),
        ("podAnnotations: {a: 1}", "/podAnnotations/a"),
        ("extraEnv: [{value: x}]", "missing property 'name'"),
        ("nodeSelector: [linux]", "/nodeSelector"),
        // These the templates refuse.
        ("extraArgs: ['--namespace=shop']", "extraArgs: --namespace is set by the chart, from watchNamespaces"),
        ("extraArgs: ['-n', shop]", "extraArgs: -n is set by the chart"),
        ("serviceAccount: {create: false}", "serviceAccount.name is required"),
        ("metrics: {enabled: false, serviceMonitor: {create: Always}}", "there are no metrics to be read"),
    ]

    @Test("refuses values that mean nothing, and says which", arguments: refused)
    func refuses(_ values: String, _ message: String) async throws {
        let output = try await Chart.result(of: values)
        #expect(output.status == 1)
        #expect(output.standardError.contains(message), "\(output.standardError)")
    }

    @Test("of some namespaces it gives rights there, and nowhere else")
    func leastRights() async throws {
        try await withNamespace { home in
            try await withNamespace { watched in
                let kubectl = try Kubectl()
                let text = try await Chart.render(
                    """
                    watchNamespaces: [\(watched)]
                    crds: {enabled: false}
                    rbac: {roles: false}
                    """, name: "test", namespace: home)
                let rights = try Chart.objects(in: text).filter {
                    $0.kind.contains("Role") || $0.kind == "ServiceAccount"
                }
                #expect(rights.allSatisfy { !$0.kind.hasPrefix("Cluster") })
                let list: JSONValue = ["apiVersion": "v1", "kind": "List", "items": .array(rights.map(\.json))]
                try await kubectl("apply", "-f", "-", input: list.text)
                func may(_ verb: String, _ resource: String, in namespace: String) async throws -> Bool {
                    try await kubectl.result(
                        of: "auth", "can-i", verb, resource, "--as=system:serviceaccount:\(home):test-sluice",
                        "--namespace=\(namespace)"
                    ).standardOutput.hasPrefix("yes")
                }
                for (verb, resource) in [("patch", "deployments.apps"), ("get", "secrets"), ("list", "pods")] {
                    #expect(try await may(verb, resource, in: watched), "\(verb) \(resource)")
                    #expect(try await !may(verb, resource, in: "default"), "\(verb) \(resource)")
                }
                #expect(try await may("create", "leases.coordination.k8s.io", in: home))
                #expect(try await !may("create", "secrets", in: home), "the webhook is off")
                #expect(
                    try await !may("get", "mutatingwebhookconfigurations.admissionregistration.k8s.io/sluice", in: home)
                )
            }
        }
    }

    @Test("the custom resources are kept when the release goes, unless that is switched off")
    func keeps() async throws {
        for (values, policy) in [("{}", "keep"), ("crds: {keep: false}", nil)] {
            let objects = try Chart.objects(in: try await Chart.render(values))
            let resources = objects.filter { $0.kind == "CustomResourceDefinition" }
            #expect(resources.count == 2)
            for resource in resources {
                #expect(resource.json[path: "metadata", "annotations", "helm.sh/resource-policy"]?.string == policy)
            }
        }
    }
}
