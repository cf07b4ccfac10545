import Foundation
import KubernetesClient
import MigrationOperator
import TestSupport
import Testing

@testable import OperatorServer

@Suite("Reviews of the API server")
struct AdmissionReviewTests {
    private let review = """
        {"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "request": {
          "uid": "u1", "kind": {"group": "apps", "version": "v1", "kind": "Deployment"}, "operation": "CREATE",
          "namespace": "shop", "dryRun": true, "oldObject": null,
          "options": {"kind": "CreateOptions", "fieldManager": "kubectl"},
          "object": {"metadata": {"name": "api"}, "spec": {"template": {
            "metadata": {"annotations": {"sluice.dev/requires": "split"}}}}}}}
        """

    @Test("a review is read, and answered with a patch, by its uid")
    func reads() throws {
        let read = try AdmissionReview(parsing: review)
        #expect(read.uid == "u1")
        #expect(read.request.operation == .create)
        #expect(read.request.fieldManager == "kubectl")
        #expect(read.request.oldObject == nil)
        let answer = try json(read.answer(decideAdmission(read.request)))
        #expect(answer[path: "response", "uid"] == "u1")
        #expect(answer[path: "response", "allowed"] == true)
        #expect(answer[path: "response", "patchType"] == "JSONPatch")
        let patch = try #require(
            answer[path: "response", "patch"]?.string.flatMap { Data(base64Encoded: $0) })
        #expect(try json(String(decoding: patch, as: UTF8.self)).array?.count == 3)
    }

    @Test("what is let through has no patch")
    func passes() throws {
        let read = try AdmissionReview(parsing: review)
        let answer = try json(read.answer(.pass))
        #expect(answer["response"] == ["uid": "u1", "allowed": true])
    }

    @Test(
        "what is no review is refused, in words",
        arguments: [
            "", "[]", "{", "{}", #"{"apiVersion": "admission.k8s.io/v1beta1", "kind": "AdmissionReview"}"#,
            #"{"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview"}"#,
            #"{"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "request": {"uid": "u1"}}"#,
        ])
    func refuses(_ text: String) {
        #expect(throws: AdmissionReview.Unreadable.self) { try AdmissionReview(parsing: text) }
    }
}

@Suite("What the API server is told of the webhook")
struct WebhookConfigurationTests {
    private func webhook(_ minor: Int = 20, _ change: (inout WebhookSettings) -> Void = { _ in }) -> JSONValue {
        var settings = WebhookSettings(address: .init(host: "0.0.0.0", port: 9443), namespace: "sluice-system")
        change(&settings)
        let fields = WebhookConfiguration(settings: settings, authorities: "PEM", serverMinor: minor).fields
        return fields["webhooks"]?.array?.first ?? .null
    }

    @Test("in a cluster it is a Service, and the certificate is for that")
    func service() {
        #expect(webhook()[path: "clientConfig", "service", "name"] == "sluice-webhook")
        #expect(webhook()[path: "clientConfig", "url"] == nil)
        let settings = WebhookSettings(address: .init(host: "0.0.0.0", port: 9443), namespace: "ops")
        #expect(settings.names == ["sluice-webhook.ops.svc"])
    }

    @Test(
        "outside it is a URL, and the certificate is for its host",
        arguments: [
            ("https://127.0.0.1:9443", "127.0.0.1"), ("https://hook.example", "hook.example"),
            ("https://[::1]:1", "::1"),
        ])
    func url(_ url: String, _ host: String) {
        #expect(webhook { $0.url = url }[path: "clientConfig", "url"]?.string == url + "/mutate")
        var settings = WebhookSettings(address: .init(host: "0.0.0.0", port: 9443), namespace: "ops")
        settings.url = url
        #expect(settings.names == [host])
    }

    @Test("only what is gated is sent, where the server can tell")
    func conditions() {
        #expect(webhook(20)["matchConditions"] == nil)
        #expect(webhook(30)["matchConditions"]?.array?.count == 1)
    }

    @Test("a condition of the server picks those that require something, of each kind, and goes wrong for none")
    func conditionOfEachKind() async throws {
        let conditions = try #require(webhook(30)["matchConditions"])
        let rules: JSONValue = [
            "resourceRules": [["apiGroups": ["apps"], "operations": ["CREATE"], "resources": ["deployments"]]]
        ]
        let policy: JSONValue = ["spec": ["matchConstraints": rules, "matchConditions": conditions]]
        let file = try TestServers.folder + "/" + uniqueName("conditions")
        try policy.text.write(toFile: file, atomically: true, encoding: .utf8)
        let annotated: JSONValue = ["metadata": ["annotations": ["sluice.dev/requires": "split"]]]
        let bare: [JSONValue] = [["metadata": [:]], ["metadata": ["annotations": [:]]], [:]]
        let specs: [JSONValue] =
            [["template": annotated], ["jobTemplate": ["spec": ["template": annotated]]]]
            + bare.map { ["template": $0] } + bare.map { ["jobTemplate": ["spec": ["template": $0]]] }
            + [["workloadRef": ["name": "api"]]]
        let reviews = specs.map { spec -> JSONValue in
            [
                "request": ["operation": "CREATE", "kind": ["group": "apps", "kind": "Deployment"]],
                "object": ["spec": spec],
            ]
        }
        let output = try await Program.output(
            try TestServers.scripts + "/manifests", ["evaluate", file], input: JSONValue.array(reviews).text,
            within: .seconds(300))
        let matches = (try JSONValue(parsing: output).array ?? []).map { $0["matches"]?.bool }
        #expect(matches == [true, true] + Array(repeating: false, count: 7))
    }

    @Test("namespaces and workloads are selected as the user says, and a selector that is gone is taken away")
    func selectors() {
        let team: JSONValue = ["key": "team", "operator": "In", "values": ["data"]]
        let selecting = webhook {
            $0.selectedNamespaces = [team]
            $0.objects = [team]
        }
        let expressions = selecting[path: "namespaceSelector", "matchExpressions"]?.array ?? []
        #expect(expressions.contains(team) && expressions.count == 2)
        #expect(selecting[path: "objectSelector", "matchExpressions"] == [team])
        #expect(webhook()["objectSelector"] == nil)

        let settings = WebhookSettings(address: .init(host: "0.0.0.0", port: 9443), namespace: "sluice-system")
        let wanted = WebhookConfiguration(settings: settings, authorities: "PEM", serverMinor: 20)
        let live: JSONValue = ["webhooks": [["name": .string(WebhookConfiguration.name), "objectSelector": [:]]]]
        #expect(!wanted.selectsOtherwise(live))
        #expect(wanted.selectsOtherwise(["webhooks": [selecting]]))
    }

    @Test("the policy is the user's, and it is safe in a dry run")
    func policy() {
        #expect(webhook()["failurePolicy"] == "Ignore")
        #expect(webhook { $0.failurePolicy = .fail }["failurePolicy"] == "Fail")
        #expect(webhook()["sideEffects"] == "None")
        #expect(webhook()["reinvocationPolicy"] == "IfNeeded")
        #expect(webhook()["matchPolicy"] == "Equivalent")
    }

    @Test("what is as wanted needs no write, what the server adds does not count")
    func includes() throws {
        let live = try json(#"{"a": [{"b": 1, "x": 2}], "c": "d"}"#)
        #expect(live.includes(["a": [["b": 1]]]))
        #expect(!live.includes(["a": [["b": 2]]]))
        #expect(!live.includes(["a": [["b": 1], ["b": 1]]]))
        #expect(!live.includes(["e": 1]))
    }
}
