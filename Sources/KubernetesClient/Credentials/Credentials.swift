internal import HTTPClient

/// What a request shows the server, and whom it trusts, at a moment.
struct Credentials: Sendable, Hashable {
    /// The header's value.
    var authorization: String?
    var tls: TLSSettings
}
