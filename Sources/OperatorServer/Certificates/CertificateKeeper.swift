internal import Foundation
internal import KubernetesClient
internal import Logging

/// Keeps the webhook's certificates in a Secret of the operator's namespace, which all replicas share: whoever finds that
/// something is due writes it, by the version that it saw, and the others take up what it wrote.
struct CertificateKeeper: Sendable {
    private let settings: WebhookSettings
    private let client: KubernetesClient
    private let logger: Logger
    private let now: @Sendable () -> Date
    private var key: ObjectKey { ObjectKey(settings.secretName, in: settings.namespace) }

    init(
        _ settings: WebhookSettings, client: KubernetesClient, logger: Logger,
        now: @escaping @Sendable () -> Date = { Date() }
    ) {
        self.settings = settings
        self.client = client
        self.logger = logger
        self.now = now
    }

    /// Looks at the Secret, does what is due, and returns what is to be served. May be repeated.
    ///
    /// - Parameter isNextPublished: whether the API server trusts the next authority.
    /// - Throws: ``KubernetesError``.
    func keep(isNextPublished: Bool) async throws -> StoredCertificates {
        while true {
            let secret = try await client.find(Secret.self, key)
            let stored = secret.flatMap(StoredCertificates.init)
            let now = now()
            let facts = CertificateFacts(
                stored, names: settings.names, isNextPublished: isNextPublished, now: now)
            let decision = decideCertificates(facts)
            let changed = try decision.change(
                stored, for: settings.names, by: CertificateIssuer(lifetimes: settings.lifetimes), at: now)
            guard let changed else {
                if let stored { return stored }
                continue
            }
            do {
                try await write(changed, over: secret)
                logger.notice("the webhook's certificates changed", metadata: ["what": "\(decision)"])
                return changed
            } catch let error as KubernetesError where [.conflict, .alreadyExists].contains(error.code) {
                // Another replica was faster: what it wrote is as good.
                continue
            }
        }
    }

    private func write(_ certificates: StoredCertificates, over secret: Secret?) async throws {
        let data = JSONValue.object(certificates.data.mapValues { .string($0) })
        guard let secret, let version = secret.metadata.resourceVersion else {
            let object: JSONValue = [
                "metadata": [
                    "name": .string(key.name), "labels": ["app.kubernetes.io/name": "sluice"],
                ],
                "type": "Opaque", "data": data,
            ]
            try await client.create(Secret.resource, in: key.namespace, object)
            return
        }
        var metadata = try JSONValue(encoding: secret.metadata)
        metadata["managedFields"] = nil
        metadata["resourceVersion"] = .string(version)
        let object: JSONValue = [
            "metadata": metadata, "type": .string(secret.type ?? "Opaque"), "data": data,
        ]
        try await client.replace(Secret.self, Secret.resource, key, object)
    }
}
