internal import Foundation
internal import KubernetesClient
internal import Logging
internal import Synchronization

/// Keeps the `MutatingWebhookConfiguration` as it has to be: for the leader.
///
/// The object itself is somebody's to apply: `sluice install --webhook`, or `manifests/webhook.yaml`. It says nothing,
/// and switches nothing on, until the operator fills it in by server-side apply, once it listens. So the operator needs no
/// right to make webhooks, and a manifest in Git has nothing to drift from.
final class WebhookConfigurationKeeper: Sendable {
    private let settings: WebhookSettings
    private let client: KubernetesClient
    private let logger: Logger
    /// What was written last, and the version that the object has since.
    private let written = Mutex<(fields: JSONValue, version: String?)?>(nil)
    private var key: ObjectKey { ObjectKey(settings.configurationName) }

    init(_ settings: WebhookSettings, client: KubernetesClient, logger: Logger) {
        self.settings = settings
        self.client = client
        self.logger = logger
    }

    /// Writes what differs. May be repeated; writes nothing when all is right, and nothing a second time: what another
    /// manager adds to the object, and our write leaves, stays until somebody changes it.
    ///
    /// - Parameter isOurs: whether the configuration is ours to keep: asked just before the write, and the write is of the
    ///   version that was read before. So a process that was stopped in between, while another led, writes nothing.
    func keep(
        trusting authorities: String, while isOurs: @Sendable () async -> Bool = { true }
    ) async throws {
        guard let live = try await client.find(WebhookConfiguration.resource, key) else {
            throw KubernetesError(
                .notFound,
                "there is no MutatingWebhookConfiguration \(key.name): sluice install --webhook")
        }
        let wanted = WebhookConfiguration(
            settings: settings, authorities: authorities,
            serverMinor: try await client.serverVersion().minorNumber)
        guard !live.json.includes(wanted.fields) || wanted.selectsOtherwise(live.json) else { return }
        if let written = written.withLock({ $0 }), written.fields == wanted.fields,
            written.version == live.metadata.resourceVersion
        {
            return
        }
        var fields = wanted.fields
        // Not one that was made anew or changed meanwhile.
        var metadata: JSONValue = [:]
        metadata["uid"] = live.metadata.uid.map { .string($0) }
        metadata["resourceVersion"] = live.metadata.resourceVersion.map { .string($0) }
        fields["metadata"] = metadata
        guard await isOurs() else { return }
        let stored = try await client.apply(
            WebhookConfiguration.resource, key, fields, fieldManager: "sluice-webhook", force: true)
        written.withLock { $0 = (wanted.fields, stored.metadata.resourceVersion) }
        logger.notice("the webhook is configured", metadata: ["policy": "\(settings.failurePolicy.rawValue)"])
    }

    /// Whether the API server was told to trust an authority.
    func isPublished(_ authority: StoredCertificates.Signer) async throws -> Bool {
        let live = try await client.find(WebhookConfiguration.resource, key)
        let entry = live?.json["webhooks"]?.array?.first { $0["name"]?.string == WebhookConfiguration.name }
        guard let bundle = entry?[path: "clientConfig", "caBundle"]?.string,
            let text = Data(base64Encoded: bundle).map({ String(decoding: $0, as: UTF8.self) })
        else { return false }
        return text.contains(authority.certificate)
    }
}

extension JSONValue {
    /// Whether everything that `part` says is so here. Objects may have more members, lists not.
    func includes(_ part: JSONValue) -> Bool {
        switch (self, part) {
        case (.object(let members), .object(let wanted)):
            wanted.allSatisfy { key, value in members[key]?.includes(value) ?? false }
        case (.array(let values), .array(let wanted)):
            values.count == wanted.count && zip(values, wanted).allSatisfy { $0.includes($1) }
        default: self == part
        }
    }
}
