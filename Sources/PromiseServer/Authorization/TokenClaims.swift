internal import JWTKit

/// What a token says of whoever carries it.
struct TokenClaims: JWTPayload {
    var role: String?
    var prefix: String?
    var iss: String?
    var aud: AudienceClaim?
    var exp: ExpirationClaim?
    var nbf: NotBeforeClaim?

    /// The times are checked by ``Authenticator``, which knows what time it is.
    func verify(using algorithm: some JWTAlgorithm) async throws {}
}
