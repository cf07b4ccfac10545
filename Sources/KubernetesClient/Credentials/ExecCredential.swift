internal import Foundation
internal import HTTPClient

/// What a credential plugin gives: a token, a client certificate, or both.
struct ExecCredential: Sendable, Hashable {
    var token: String?
    var identity: TLSSettings.Identity?
    /// When it is over; nil: not before the server refuses it.
    var expiration: Date?

    func isValid(at date: Date) -> Bool {
        expiration.map { date < $0 } ?? true
    }

    private struct Document: Decodable {
        struct Status: Decodable {
            var token: String?
            var clientCertificateData: String?
            var clientKeyData: String?
            var expirationTimestamp: Timestamp?
        }

        var apiVersion: String?
        var kind: String?
        var status: Status?
    }

    /// Reads what `plugin` printed.
    ///
    /// - Throws: ``KubernetesError``, with nothing of what it printed.
    init(parsing output: [UInt8], of plugin: CredentialPlugin) throws(KubernetesError) {
        let document: Document
        do {
            document = try JSONCoding.decode(Document.self, from: output, of: "it")
        } catch {
            throw plugin.failure("printed something that is not an ExecCredential in JSON")
        }
        guard document.kind == "ExecCredential", document.apiVersion == plugin.apiVersion else {
            throw plugin.failure("printed something else than an ExecCredential of \(plugin.apiVersion)")
        }
        guard let status = document.status else {
            throw plugin.failure("printed an ExecCredential without a status")
        }
        token = status.token.flatMap { $0.isEmpty ? nil : $0 }
        if let token, !token.isHeaderValue { throw plugin.failure("printed a token with a line break in it") }
        switch (status.clientCertificateData ?? "", status.clientKeyData ?? "") {
        case ("", ""):
            break
        case (let certificate, let key) where !certificate.isEmpty && !key.isEmpty:
            identity = .init(certificate: Array(certificate.utf8), key: Array(key.utf8))
        default:
            throw plugin.failure("printed only one of clientCertificateData and clientKeyData")
        }
        guard token != nil || identity != nil else {
            throw plugin.failure("printed neither a token nor a client certificate")
        }
        expiration = status.expirationTimestamp?.date
    }
}

extension String {
    /// Whether it can stand in a header: nothing in it ends the line.
    var isHeaderValue: Bool {
        !utf8.contains { $0 < 32 && $0 != UInt8(ascii: "\t") || $0 == 127 }
    }
}
