import Crypto
import Foundation
import SwiftASN1
import Testing
import X509

@testable import OperatorServer

private let day: TimeInterval = 86_400
private let now = Date(timeIntervalSince1970: 1_800_000_000)

/// Good since `from` days ago, until `until` days from now.
private func validity(_ from: Double, _ until: Double) -> CertificateFacts.Validity {
    .init(from: now - from * day, until: now + until * day)
}

private func facts(
    serving: CertificateFacts.Validity? = validity(10, 80), names: Set<String> = ["hook"], ofSigner: Bool = true,
    signer: CertificateFacts.Validity? = validity(10, 355), next: CertificateFacts.Validity? = nil,
    published: Bool = false
) -> CertificateFacts {
    CertificateFacts(
        now: now, names: ["hook"],
        serving: serving.map { .init(validity: $0, names: names, isOfSigner: ofSigner) },
        signer: signer, next: next, isNextPublished: published)
}

@Suite("What is decided about the webhook's certificates")
struct CertificateDecisionTests {
    struct Case: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let facts: CertificateFacts
        let decision: CertificateDecision

        init(_ name: String, _ facts: CertificateFacts, _ decision: CertificateDecision) {
            testDescription = name
            self.facts = facts
            self.decision = decision
        }
    }

    static let cases: [Case] = [
        .init("all is right, until two thirds of the certificate", facts(), .keep(until: now + 50 * day)),
        .init("there is nothing", facts(serving: nil, signer: nil), .begin),
        .init("the certificate cannot be read", facts(serving: nil), .begin),
        .init("the authority has ended", facts(signer: validity(400, -1)), .begin),
        .init("two thirds of the certificate are over", facts(serving: validity(61, 29)), .renew),
        .init("the certificate has ended", facts(serving: validity(91, -1)), .renew),
        .init("it is for another host", facts(names: []), .renew),
        .init("another authority signed it", facts(ofSigner: false), .renew),
        .init("two thirds of the authority are over", facts(signer: validity(250, 110)), .prepareAuthority),
        .init(
            "the next authority is not known to the API server yet",
            facts(signer: validity(250, 110), next: validity(1, 364)), .keep(until: now + 50 * day)),
        .init(
            "the next authority is known",
            facts(signer: validity(250, 110), next: validity(1, 364), published: true), .changeAuthority),
        .init(
            "the old authority is about to end, known or not",
            facts(signer: validity(340, 20), next: validity(90, 275)), .changeAuthority),
        .init(
            "the certificate is renewed while the next authority waits",
            facts(serving: validity(61, 29), signer: validity(250, 110), next: validity(1, 364)), .renew),
        .init(
            "a certificate that ends with its authority is not renewed again and again",
            facts(serving: validity(61, 29), signer: validity(250, 29), next: validity(1, 364)),
            .keep(until: now - 250 * day + 279 * day * 0.9)),
    ]

    @Test("by the clock, the certificates and what was published", arguments: cases)
    func decides(_ one: Case) {
        #expect(decideCertificates(one.facts) == one.decision)
    }

    @Test("a life of certificates: each change is needed, none is repeated, and what serves is always trusted")
    func life() throws {
        var lifetimes = CertificateLifetimes()
        lifetimes.authority = .seconds(30 * day)
        lifetimes.serving = .seconds(9 * day)
        let issuer = CertificateIssuer(lifetimes: lifetimes)
        var stored: StoredCertificates?
        var published = ""
        var changes: [String] = []
        for hour in 0..<(24 * 60) {
            let moment = now + Double(hour) * 3600
            let isPublished = stored?.next.map { published.contains($0.certificate) } ?? false
            let found = CertificateFacts(
                stored, names: ["127.0.0.1", "hook"], isNextPublished: isPublished, now: moment)
            let decision = decideCertificates(found)
            if let changed = try decision.change(stored, for: ["127.0.0.1", "hook"], by: issuer, at: moment) {
                stored = changed
                changes.append("\(decision)")
            }
            let present = try #require(stored)
            let serving = try Certificate(pemEncoded: present.serving.certificate)
            #expect(serving.notValidBefore <= moment && moment < serving.notValidAfter)
            // What was published before this hour must do: the API server learns of a change after it was made.
            if !published.isEmpty { #expect(try isSigned(serving, byOneOf: published)) }
            published = present.authorities
        }
        #expect(changes.first == "begin")
        #expect(changes.filter { $0 == "begin" }.count == 1)
        #expect(changes.filter { $0 == "prepareAuthority" }.count == 2)
        #expect(changes.filter { $0 == "changeAuthority" }.count == 2)
        #expect((7...10).contains(changes.filter { $0 == "renew" }.count), "\(changes)")
    }

    private func isSigned(_ certificate: Certificate, byOneOf authorities: String) throws -> Bool {
        let end = "-----END CERTIFICATE-----\n"
        return try authorities.split(separator: end).contains { text in
            let authority = try Certificate(pemEncoded: text + end)
            return authority.publicKey.isValidSignature(certificate.signature, for: certificate)
        }
    }

    @Test("what is stored names no key, and comes back as it was")
    func stored() throws {
        let issuer = CertificateIssuer(lifetimes: CertificateLifetimes())
        let made = try CertificateDecision.begin.change(nil, for: ["hook"], by: issuer, at: now)
        var stored = try #require(made)
        stored.next = try issuer.makeAuthority(at: now)
        stored.former = [try issuer.makeAuthority(at: now).certificate, try issuer.makeAuthority(at: now).certificate]
        #expect(!"\(stored)".contains("PRIVATE") && !String(reflecting: stored).contains("PRIVATE"))
        let secret = try secret(stored.data)
        #expect(StoredCertificates(secret) == stored)
        #expect(stored.authorities.components(separatedBy: "BEGIN CERTIFICATE").count == 5)
    }
}
