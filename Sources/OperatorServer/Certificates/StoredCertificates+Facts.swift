internal import Crypto
internal import Foundation
internal import SwiftASN1
internal import X509

extension CertificateFacts {
    /// Reads what is stored; what cannot be read, or does not belong together, counts as not there.
    init(_ stored: StoredCertificates?, names: [String], isNextPublished: Bool, now: Date) {
        self.init(now: now, names: Set(names), isNextPublished: isNextPublished)
        guard let stored, let signer = stored.signer.readable else { return }
        self.signer = Validity(signer)
        next = stored.next?.readable.map(Validity.init)
        guard let certificate = stored.serving.readable else { return }
        let wanted = names.filter { certificate.names.contains(GeneralName(host: $0)) }
        serving = Serving(
            validity: Validity(certificate), names: Set(wanted),
            isOfSigner: signer.publicKey.isValidSignature(certificate.signature, for: certificate))
    }
}

extension CertificateFacts.Validity {
    fileprivate init(_ certificate: Certificate) {
        // When it was made; what it says is earlier.
        let made = certificate.notValidBefore + CertificateIssuer.headStart
        self.init(from: min(made, certificate.notValidAfter), until: certificate.notValidAfter)
    }
}

extension StoredCertificates.Signer {
    /// The certificate, where it can be read and the key is its own.
    fileprivate var readable: Certificate? {
        guard let certificate = try? Certificate(pemEncoded: certificate),
            let key = try? P256.Signing.PrivateKey(pemRepresentation: key),
            certificate.publicKey == Certificate.PublicKey(key.publicKey)
        else { return nil }
        return certificate
    }
}

extension Certificate {
    fileprivate var names: [GeneralName] {
        (try? extensions.subjectAlternativeNames).flatMap { $0 }.map(Array.init) ?? []
    }
}

extension StoredCertificates {
    /// The former authorities that are good still: a certificate of theirs may be served somewhere.
    func formerAuthorities(at now: Date) -> [String] {
        former.filter { (try? Certificate(pemEncoded: $0)).map { now < $0.notValidAfter } ?? false }
    }
}
