internal import KubernetesClient
internal import MigrationOperator

/// What the API server is told of the webhook: the fields of a `MutatingWebhookConfiguration` that the operator owns.
/// <https://kubernetes.io/docs/reference/access-authn-authz/extensible-admission-controllers/#webhook-configuration>
struct WebhookConfiguration: Sendable {
    static let resource = ResourceDescriptor.mutatingWebhookConfigurations

    /// The webhook's name in the configuration, by which server-side apply knows its entry.
    static let name = "gate.sluice.dev"
    /// A namespace with this label, whatever its value, is left alone: the operator's own, which must be able to start
    /// while nobody answers.
    static let exemption = "sluice.dev/webhook-exempt"
    /// Servers evaluate `matchConditions` from this minor version on, without a feature gate.
    static let conditionsSince = 30
    /// How long the API server waits for an answer, in seconds: what is decided needs no I/O.
    static let timeoutSeconds: Int64 = 5

    let settings: WebhookSettings
    /// Whose certificates the API server shall trust, in PEM.
    let authorities: String
    /// Of the API server: 20 for Kubernetes 1.20.
    let serverMinor: Int

    /// What is applied.
    var fields: JSONValue { ["webhooks": [webhook]] }

    private var webhook: JSONValue {
        var webhook: JSONValue = [
            "name": .string(Self.name),
            "admissionReviewVersions": ["v1"],
            "clientConfig": clientConfig,
            "rules": .array(WorkloadKind.allCases.map(Self.rule)),
            "namespaceSelector": ["matchExpressions": .array(namespaces)],
            "failurePolicy": .string(settings.failurePolicy.rawValue),
            "matchPolicy": "Equivalent",
            "reinvocationPolicy": "IfNeeded",
            "sideEffects": "None",
            "timeoutSeconds": .int(Self.timeoutSeconds),
        ]
        if !settings.objects.isEmpty { webhook["objectSelector"] = ["matchExpressions": .array(settings.objects)] }
        if serverMinor >= Self.conditionsSince {
            // Then nobody else's workload waits for us, or fails without us.
            webhook["matchConditions"] = [
                [
                    "name": "requires-a-migration",
                    "expression": .string("\(Self.requires("object.spec")) || \(Self.ofJobs)"),
                ]
            ]
        }
        return webhook
    }

    private static func rule(_ kind: WorkloadKind) -> JSONValue {
        [
            "apiGroups": [.string(kind.group)],
            "apiVersions": .array(kind.resources.map { .string($0.version) }),
            "resources": [.string(kind.resources[0].plural)],
            "operations": ["CREATE", "UPDATE"], "scope": "Namespaced",
        ]
    }

    /// In CEL: whether the template in `spec` requires something. An expression that fails counts as the failure policy says,
    /// so each field is asked for first.
    private static func requires(_ spec: String) -> String {
        let metadata = "\(spec).template.metadata"
        return "(has(\(spec).template) && has(\(metadata)) && has(\(metadata).annotations) && "
            + "'sluice.dev/requires' in \(metadata).annotations)"
    }

    /// The same for a CronJob, whose template is that of its Jobs.
    private static var ofJobs: String {
        "(has(object.spec.jobTemplate) && \(requires("object.spec.jobTemplate.spec")))"
    }

    private var clientConfig: JSONValue {
        var config: JSONValue = ["caBundle": .string(authorities.base64)]
        if let url = settings.url {
            config["url"] = .string(url + "/mutate")
        } else {
            config["service"] = [
                "name": .string(settings.serviceName), "namespace": .string(settings.namespace), "path": "/mutate",
                "port": 443,
            ]
        }
        return config
    }

    private var namespaces: [JSONValue] {
        var expressions: [JSONValue] = [["key": .string(Self.exemption), "operator": "DoesNotExist"]]
        if !settings.namespaces.isEmpty {
            expressions.append([
                "key": "kubernetes.io/metadata.name", "operator": "In",
                "values": .array(settings.namespaces.map { .string($0) }),
            ])
        }
        return expressions + settings.selectedNamespaces
    }

    /// Whether an entry of the server selects other objects than it is to: what `fields` leaves out may be there still.
    func selectsOtherwise(_ live: JSONValue) -> Bool {
        let entry = live["webhooks"]?.array?.first { $0["name"]?.string == Self.name }
        let selector = entry?["objectSelector"]
        return selector?["matchLabels"]?.object?.isEmpty == false
            || selector?["matchExpressions"]?.array ?? [] != settings.objects
    }
}
