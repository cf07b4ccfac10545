internal import Foundation

extension CertificateDecision {
    /// What the Secret holds after the decision was carried out; nil where it stays as it is.
    func change(
        _ stored: StoredCertificates?, for names: [String], by issuer: CertificateIssuer, at now: Date
    ) throws -> StoredCertificates? {
        guard self != .begin, var stored else {
            if case .keep = self { return nil }
            let authority = try issuer.makeAuthority(at: now)
            return StoredCertificates(
                serving: try issuer.makeServing(for: names, by: authority, at: now), signer: authority)
        }
        stored.former = stored.formerAuthorities(at: now)
        switch self {
        case .keep, .begin:
            return nil
        case .prepareAuthority:
            stored.next = try issuer.makeAuthority(at: now)
        case .changeAuthority:
            guard let next = stored.next else { return nil }
            stored.former.insert(stored.signer.certificate, at: 0)
            stored.signer = next
            stored.next = nil
            stored.serving = try issuer.makeServing(for: names, by: next, at: now)
        case .renew:
            stored.serving = try issuer.makeServing(for: names, by: stored.signer, at: now)
        }
        return stored
    }
}
