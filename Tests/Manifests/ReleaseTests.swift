import Foundation
import TestSupport
import Testing

@Suite("A release of the chart")
struct ReleaseTests {
    private static let serviceMonitors = """
        apiVersion: apiextensions.k8s.io/v1
        kind: CustomResourceDefinition
        metadata:
          name: servicemonitors.monitoring.coreos.com
          annotations: {api-approved.kubernetes.io: "unapproved, for a test"}
        spec:
          group: monitoring.coreos.com
          scope: Namespaced
          names: {plural: servicemonitors, singular: servicemonitor, kind: ServiceMonitor, listKind: ServiceMonitorList}
          versions:
          - name: v1
            served: true
            storage: true
            schema: {openAPIV3Schema: {type: object, x-kubernetes-preserve-unknown-fields: true}}
        """

    @Test("is installed, upgraded and uninstalled by Helm; Migrations outlive it, and the next one takes them up")
    func lives() async throws {
        try await withPrivateControlPlane { plane in
            let kubectl = Kubectl(kubeconfig: plane.kubeconfig)
            func helm(_ command: String, _ values: String = "{}") async throws {
                try await Program.output(
                    try TestServers.scripts + "/manifests", ["release", command, "--kubeconfig", plane.kubeconfig],
                    input: values, within: .seconds(300))
            }
            func names(_ kinds: String) async throws -> String {
                try await kubectl("get", kinds, "--all-namespaces", "--output=name")
            }
            try await kubectl("create", "namespace", "sluice-system")
            try await kubectl("create", "namespace", "shop")
            let monitored = "metrics: {serviceMonitor: {create: IfServed}}"
            try await helm("install", monitored)
            #expect(try await names("deployments,services").contains("deployment.apps/sluice\nservice/"))
            let migration = try TestServers.scripts + "/../examples/gitops/migrations/split-customer-name.yaml"
            try await kubectl("apply", "-f", migration)

            // What the cluster serves by now is there from the next upgrade on.
            try await kubectl("apply", "-f", "-", input: Self.serviceMonitors)
            try await kubectl("wait", "--for=condition=established", "crd/servicemonitors.monitoring.coreos.com")
            try await helm("upgrade", monitored + "\nwebhook: {enabled: true}")
            let upgraded = try await names("servicemonitors,mutatingwebhookconfigurations,clusterroles")
            for name in [
                "servicemonitor.monitoring.coreos.com/sluice",
                "webhookconfiguration.admissionregistration.k8s.io/sluice",
            ] {
                #expect(upgraded.contains(name))
            }

            try await helm("uninstall")
            #expect(try await names("migrations") == "migration.sluice.dev/split-customer-name")
            for kinds in ["deployments", "mutatingwebhookconfigurations", "servicemonitors"] {
                #expect(try await names(kinds) == "", "\(kinds)")
            }
            #expect(try await !names("clusterroles,clusterrolebindings").contains("sluice"))

            try await helm("install")
            #expect(try await names("migrations") == "migration.sluice.dev/split-customer-name")
        }
    }
}
