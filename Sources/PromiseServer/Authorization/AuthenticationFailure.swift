/// Why somebody is not let in. Says nothing of the token.
struct AuthenticationFailure: Error, Hashable {
    /// 401: the token is missing or not valid; 403: it is, but allows nothing.
    let status: Int
    let message: String

    static let missing = AuthenticationFailure(status: 401, message: "a token is needed: head.auth, or a Bearer header")
    static let invalid = AuthenticationFailure(status: 401, message: "the token is not valid")
    static let expired = AuthenticationFailure(status: 401, message: "the token has expired, or is not valid yet")
    static let powerless = AuthenticationFailure(status: 403, message: "the token has neither a role nor a prefix")
}
