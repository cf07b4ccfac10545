public import Foundation
internal import JWTKit
internal import Synchronization

/// Knows by their tokens who may do what.
///
/// A token is a JWT (RFC 7519), signed with one of the keys' private halves. Of its claims `role`, when it is `admin`,
/// allows everything; else `prefix` says which ids. `exp`, `nbf`, and where they are asked for `iss` and `aud`, have to
/// hold. Besides, there may be one secret that is no JWT and allows everything, for a server that is being debugged.
public final class Authenticator: Sendable {
    private struct Verified {
        let claims: TokenClaims
        let access: Result<Access, AuthenticationFailure>
    }

    private let keys: [VerificationKey]
    private let issuer: String?
    private let audience: String?
    private let secret: [UInt8]?
    private let now: @Sendable () -> Date
    /// Tokens whose signature was found to be right: looking costs more than all else that is done for a request.
    private let verified = Mutex<[String: Verified]>([:])

    private static let mostVerified = 1024

    /// - Parameters:
    ///   - keysPEM: public keys as PEM: RSA, EC P-256, EC P-384 or Ed25519; nil when there is only the secret.
    ///   - issuer: what `iss` has to be; nil allows any.
    ///   - audience: what `aud` has to contain; nil allows any.
    ///   - secret: a token that allows everything.
    public init(
        keysPEM: String?,
        issuer: String? = nil,
        audience: String? = nil,
        secret: String? = nil,
        now: @escaping @Sendable () -> Date = { Date() }
    ) async throws {
        keys = if let keysPEM { try await VerificationKey.all(inPEM: keysPEM) } else { [] }
        self.issuer = issuer
        self.audience = audience
        self.secret = secret.map { Array($0.utf8) }
        self.now = now
    }

    /// Whether requests need a token; with a secret alone, everything but debugging is open.
    public var asksForTokens: Bool { !keys.isEmpty }

    /// What the bearer of a token may do. Whoever brings none may do what is open to everybody, if anything is.
    func access(_ token: String?) async throws(AuthenticationFailure) -> Access {
        guard let token, !token.isEmpty else {
            if !asksForTokens { return .ids(prefix: "") }
            throw .missing
        }
        if let secret, Self.equal(Array(token.utf8), secret) { return .administrator }
        if !asksForTokens { throw .invalid }
        let claims = try await self.claims(token)
        let time = now()
        if let end = claims.claims.exp, end.value <= time { throw .expired }
        if let start = claims.claims.nbf, start.value > time { throw .expired }
        return try claims.access.get()
    }

    private func claims(_ token: String) async throws(AuthenticationFailure) -> Verified {
        if let known = verified.withLock({ $0[token] }) { return known }
        let claims = try await check(token)
        let entry = Verified(claims: claims, access: Self.access(claims))
        verified.withLock { verified in
            if verified.count >= Self.mostVerified { verified.removeAll(keepingCapacity: true) }
            verified[token] = entry
        }
        return entry
    }

    private func check(_ token: String) async throws(AuthenticationFailure) -> TokenClaims {
        guard let (header, _, _) = try? DefaultJWTParser().parse(Array(token.utf8), as: TokenClaims.self),
            let algorithm = header.alg
        else { throw .invalid }
        // Extensions that have to be understood (RFC 7515, 4.1.11); none is understood here, and an empty list is no list.
        guard header.fields["crit"] == nil else { throw .invalid }
        for key in keys {
            guard let collection = key.algorithms[algorithm],
                let claims = try? await collection.verify(token, as: TokenClaims.self)
            else { continue }
            if let issuer, claims.iss != issuer { throw .invalid }
            if let audience, claims.aud?.value.contains(audience) != true { throw .invalid }
            return claims
        }
        throw .invalid
    }

    private static func access(_ claims: TokenClaims) -> Result<Access, AuthenticationFailure> {
        if claims.role == "admin" { return .success(.administrator) }
        guard let prefix = claims.prefix else { return .failure(.powerless) }
        return .success(.ids(prefix: prefix))
    }

    /// In a time that does not tell where they differ.
    private static func equal(_ one: [UInt8], _ other: [UInt8]) -> Bool {
        guard one.count == other.count else { return false }
        return zip(one, other).reduce(0) { $0 | ($1.0 ^ $1.1) } == 0
    }
}
