internal import Foundation

/// What to do about the webhook's certificates.
enum CertificateDecision: Sendable, Hashable {
    /// All is right until then.
    case keep(until: Date)
    /// There is nothing to build on: an authority and a certificate are made anew.
    case begin
    /// Another authority is made, and made known before it signs anything.
    case prepareAuthority
    /// The next authority signs from now on, and signs a certificate; the one before stays known.
    case changeAuthority
    /// The authority signs another certificate.
    case renew
}

/// Decides by the clock, the certificates and what the API server was told. No I/O.
///
/// An authority is changed in two steps, because the API server must trust it before anybody serves what it signed: made
/// and published first, then used. Both are trusted until the older one ends.
func decideCertificates(_ facts: CertificateFacts) -> CertificateDecision {
    guard let signer = facts.signer, let serving = facts.serving, facts.now < signer.until else { return .begin }
    if let next = facts.next {
        // Shortly before the old one ends there is nothing left to wait for.
        if facts.isNextPublished || facts.now >= signer.lastCall, facts.now < next.until { return .changeAuthority }
    } else if facts.now >= signer.renewal {
        return .prepareAuthority
    }
    if facts.now >= serving.validity.renewal || !serving.isOfSigner || !facts.names.isSubset(of: serving.names) {
        // Not over and over again where what the authority has left is shorter than a certificate's life.
        let isAsLongAsItGets = serving.isOfSigner && serving.validity.until >= signer.until
        if !isAsLongAsItGets || !facts.names.isSubset(of: serving.names) { return .renew }
    }
    let dates = [facts.next == nil ? signer.renewal : signer.lastCall, serving.validity.renewal]
    return .keep(until: dates.filter { $0 > facts.now }.min() ?? signer.until)
}

extension CertificateFacts.Validity {
    /// When nine tenths are over.
    fileprivate var lastCall: Date { from.addingTimeInterval(until.timeIntervalSince(from) * 9 / 10) }
}
