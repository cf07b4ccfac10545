internal import Foundation

/// What is known of certificates when ``decideCertificates(_:)`` is asked: no key, no encoding.
struct CertificateFacts: Sendable, Hashable {
    /// From when until when a certificate is good.
    struct Validity: Sendable, Hashable {
        var from: Date
        var until: Date

        /// When two thirds of it are over.
        var renewal: Date { from.addingTimeInterval(until.timeIntervalSince(from) * 2 / 3) }
    }

    struct Serving: Sendable, Hashable {
        var validity: Validity
        /// The hosts that it is for.
        var names: Set<String>
        /// Whether the authority that signs at present signed it.
        var isOfSigner: Bool
    }

    var now: Date
    /// The hosts that it has to be for.
    var names: Set<String>
    /// Nil where there is none, or none that can be read.
    var serving: Serving?
    var signer: Validity?
    /// Nil where no change of the authority is under way.
    var next: Validity?
    /// Whether the API server was told to trust the next authority.
    var isNextPublished = false
}
