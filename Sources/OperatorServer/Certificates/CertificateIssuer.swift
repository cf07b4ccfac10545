internal import Crypto
internal import Foundation
internal import SwiftASN1
internal import X509

/// Makes authorities and certificates: ECDSA with P-256, version 3.
struct CertificateIssuer: Sendable {
    let lifetimes: CertificateLifetimes

    /// A clock that is behind ours must find a new certificate good as well: it says that it began so many seconds ago.
    static let headStart: TimeInterval = 300

    /// An authority that signs certificates, and no other authority.
    func makeAuthority(at now: Date) throws -> StoredCertificates.Signer {
        let key = P256.Signing.PrivateKey()
        // A name of its own: with two of one name whose signature is right could not be told without trying.
        let name = try DistinguishedName {
            CommonName("sluice webhook authority \(Int64(now.timeIntervalSince1970))")
        }
        let certificate = try Certificate(
            version: .v3, serialNumber: .init(), publicKey: .init(key.publicKey),
            notValidBefore: now - Self.headStart,
            notValidAfter: now + lifetimes.authority.seconds,
            issuer: name, subject: name, signatureAlgorithm: .ecdsaWithSHA256,
            extensions: try .init {
                Critical(BasicConstraints.isCertificateAuthority(maxPathLength: 0))
                Critical(KeyUsage(keyCertSign: true))
                SubjectKeyIdentifier(hash: Certificate.PublicKey(key.publicKey))
            },
            issuerPrivateKey: .init(key))
        return .init(certificate: try certificate.pem, key: key.pemRepresentation + "\n")
    }

    /// A certificate for a server that is called by `names`, which may be addresses. It does not outlive its authority.
    func makeServing(
        for names: [String], by authority: StoredCertificates.Signer, at now: Date
    ) throws -> StoredCertificates.Signer {
        let issuer = try Certificate(pemEncoded: authority.certificate)
        let issuerKey = try P256.Signing.PrivateKey(pemRepresentation: authority.key)
        let key = P256.Signing.PrivateKey()
        let certificate = try Certificate(
            version: .v3, serialNumber: .init(), publicKey: .init(key.publicKey),
            notValidBefore: now - Self.headStart,
            notValidAfter: min(now + lifetimes.serving.seconds, issuer.notValidAfter),
            issuer: issuer.subject, subject: try DistinguishedName { CommonName("sluice webhook") },
            signatureAlgorithm: .ecdsaWithSHA256,
            extensions: try .init {
                Critical(BasicConstraints.notCertificateAuthority)
                Critical(KeyUsage(digitalSignature: true))
                try ExtendedKeyUsage([.serverAuth])
                SubjectAlternativeNames(names.map(GeneralName.init(host:)))
                AuthorityKeyIdentifier(keyIdentifier: SubjectKeyIdentifier(hash: issuer.publicKey).keyIdentifier)
            },
            issuerPrivateKey: .init(issuerKey))
        return .init(certificate: try certificate.pem, key: key.pemRepresentation + "\n")
    }
}

extension Certificate {
    fileprivate var pem: String {
        get throws { try serializeAsPEM().pemString + "\n" }
    }
}

extension Duration {
    fileprivate var seconds: TimeInterval { self / .seconds(1) }
}
