internal import Foundation

extension KubernetesClient {
    /// Who we are to the API server, `system:serviceaccount:sluice-system:sluice`, where that can be told without asking it:
    /// from a service account's token, or as whom we say to come. Nil for certificates and other tokens.
    ///
    /// The token is not verified: it is our own.
    /// <https://kubernetes.io/docs/reference/access-authn-authz/service-accounts-admin/#bound-service-account-tokens>
    public func account() async throws(KubernetesError) -> String? {
        if let impersonation = configuration.impersonation { return impersonation.user }
        let authorization = try await credentials.current().authorization ?? ""
        guard authorization.hasPrefix("Bearer ") else { return nil }
        return ServiceAccountToken(String(authorization.dropFirst("Bearer ".count)))?.account
    }
}

/// A JSON Web Token, as far as it says whose it is (RFC 7519, section 4.1.2).
struct ServiceAccountToken {
    let account: String

    /// Nil where it is another kind of token.
    init?(_ token: String) {
        let parts = token.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 3 else { return nil }
        // base64url leaves the padding out (RFC 7515, section 2).
        var payload = String(parts[1]).replacing("-", with: "+").replacing("_", with: "/")
        payload += String(repeating: "=", count: (4 - payload.count % 4) % 4)
        guard let data = Data(base64Encoded: payload),
            let subject = (try? JSONValue(parsing: String(decoding: data, as: UTF8.self)))?["sub"]?.string,
            subject.hasPrefix("system:serviceaccount:")
        else { return nil }
        account = subject
    }
}
