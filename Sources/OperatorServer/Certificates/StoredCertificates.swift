internal import Foundation
internal import KubernetesClient

/// The webhook's certificates and keys, as its Secret holds them, in PEM.
///
/// Its description names no key.
struct StoredCertificates: Sendable, Hashable, CustomStringConvertible, CustomReflectable {
    /// An authority that signs.
    struct Signer: Sendable, Hashable {
        var certificate: String
        var key: String
    }

    /// What is served.
    var serving: Signer
    /// Who signed it, and signs the next one.
    var signer: Signer
    /// Who will sign once the API server has been told to trust it.
    var next: Signer?
    /// Those who signed before, for replicas that serve an older certificate still.
    var former: [String] = []

    /// Everyone whom the API server shall trust.
    var authorities: String {
        ([signer.certificate] + (next.map { [$0.certificate] } ?? []) + former).joined()
    }

    var description: String { "certificates of \(former.count + (next == nil ? 1 : 2)) authorities" }
    var customMirror: Mirror { Mirror(self, children: ["description": description]) }
}

// MARK: In a Secret

extension StoredCertificates {
    private enum Key {
        static let certificate = "tls.crt"
        static let key = "tls.key"
        static let authority = "ca.crt"
        static let authorityKey = "ca.key"
        static let next = "next-ca.crt"
        static let nextKey = "next-ca.key"
        static let former = "former-ca.crt"
    }

    /// Nil where something is missing.
    init?(_ secret: Secret) {
        guard let certificate = secret.string(Key.certificate), let key = secret.string(Key.key),
            let authority = secret.string(Key.authority), let authorityKey = secret.string(Key.authorityKey)
        else { return nil }
        serving = Signer(certificate: certificate, key: key)
        signer = Signer(certificate: authority, key: authorityKey)
        if let certificate = secret.string(Key.next), let key = secret.string(Key.nextKey) {
            next = Signer(certificate: certificate, key: key)
        }
        former = Self.certificates(in: secret.string(Key.former) ?? "")
    }

    var data: [String: String] {
        var data = [
            Key.certificate: serving.certificate, Key.key: serving.key, Key.authority: signer.certificate,
            Key.authorityKey: signer.key,
        ]
        if let next {
            data[Key.next] = next.certificate
            data[Key.nextKey] = next.key
        }
        if !former.isEmpty { data[Key.former] = former.joined() }
        return data.mapValues(\.base64)
    }

    private static func certificates(in text: String) -> [String] {
        let end = "-----END CERTIFICATE-----\n"
        return text.split(separator: end, omittingEmptySubsequences: true).map { $0 + end }
    }
}
