internal import HTTPClient

/// What a request shows the server, and whom it trusts, at a moment.
struct Credentials: Sendable, Hashable, CustomStringConvertible, CustomReflectable {
    /// The header's value.
    var authorization: String?
    var tls: TLSSettings

    /// Token and key are secrets.
    var description: String { "credentials" }
    var customMirror: Mirror { Mirror(self, children: []) }
}
