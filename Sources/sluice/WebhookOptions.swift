public import ArgumentParser
import MigrationOperator
public import OperatorServer

/// The admission webhook, which holds a rollout before its first pod. Off, unless it has an address.
struct WebhookOptions: ParsableArguments {
    @Option(
        name: .long,
        help: ArgumentHelp(
            "Where to serve the webhook, such as :9443; else $SLUICE_WEBHOOK_BIND_ADDRESS, else nowhere.",
            discussion: "Once: sluice install --webhook.",
            valueName: "address"
        )
    )
    var webhookBindAddress: String?

    @Option(
        name: .long,
        help: ArgumentHelp(
            "What becomes of workloads while no operator answers: Fail or Ignore (default: Ignore).",
            discussion: "Fail refuses them, so that nothing gets past the gate. Ignore lets them through. "
                + "Else $SLUICE_WEBHOOK_FAILURE_POLICY.",
            valueName: "policy"
        )
    )
    var webhookFailurePolicy: WebhookSettings.FailurePolicy?

    @Option(
        name: .long,
        help: ArgumentHelp(
            "Where the API server finds the webhook, when this does not run in the cluster.",
            discussion: "Such as https://10.0.0.7:9443. Else $SLUICE_WEBHOOK_URL, else the Service sluice-webhook."
        )
    )
    var webhookURL: String?

    @Option(
        name: .long, help: "The MutatingWebhookConfiguration to keep; else $SLUICE_WEBHOOK_CONFIGURATION, else sluice.")
    var webhookConfiguration: String?

    @Option(
        name: .long,
        help: ArgumentHelp(
            "Which namespaces are asked about, besides those of --namespace and without those that are exempt.",
            discussion: #"A label selector as JSON, such as {"matchLabels": {"team": "data"}}. "#
                + "Else $SLUICE_WEBHOOK_NAMESPACE_SELECTOR, else all.",
            valueName: "selector"
        )
    )
    var webhookNamespaceSelector: LabelSelectorArgument?

    @Option(
        name: .long,
        help: ArgumentHelp(
            "Which workloads are asked about, by their own labels; else $SLUICE_WEBHOOK_OBJECT_SELECTOR, else all.",
            valueName: "selector"
        )
    )
    var webhookObjectSelector: LabelSelectorArgument?

    /// Nil where the webhook is off.
    func settings(for configuration: OperatorConfiguration) throws -> WebhookSettings? {
        guard let address = try ServingOptions.address(webhookBindAddress, "SLUICE_WEBHOOK_BIND_ADDRESS") else {
            return nil
        }
        var settings = WebhookSettings(address: address, namespace: configuration.leaseNamespace)
        settings.namespaces = configuration.namespaces
        settings.failurePolicy = try EnvironmentSetting.value(
            webhookFailurePolicy, "SLUICE_WEBHOOK_FAILURE_POLICY", else: .ignore)
        settings.configurationName = try EnvironmentSetting.value(
            webhookConfiguration, "SLUICE_WEBHOOK_CONFIGURATION", else: settings.configurationName)
        settings.selectedNamespaces =
            try EnvironmentSetting.value(webhookNamespaceSelector, "SLUICE_WEBHOOK_NAMESPACE_SELECTOR")?.expressions
            ?? []
        settings.objects =
            try EnvironmentSetting.value(webhookObjectSelector, "SLUICE_WEBHOOK_OBJECT_SELECTOR")?.expressions ?? []
        if let url = try EnvironmentSetting.value(webhookURL, "SLUICE_WEBHOOK_URL") {
            guard url.hasPrefix("https://"), !url.contains("@") else {
                throw ValidationError(
                    "--webhook-url begins with https://, and names a host and a port: the API server calls no other")
            }
            settings.url = url.hasSuffix("/") ? String(url.dropLast()) : url
        }
        return settings
    }
}

extension WebhookSettings.FailurePolicy: ExpressibleByArgument {}
