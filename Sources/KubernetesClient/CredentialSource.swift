internal import Foundation
internal import Synchronization

/// Gives the `Authorization` header, and reads a token file again every minute, or at once when it was refused.
final class CredentialSource: Sendable {
    private static let lifetime: Duration = .seconds(60)

    private struct Cached {
        var token: String
        var readAt: ContinuousClock.Instant
    }

    private let credential: ClusterConfiguration.Credential
    private let cached = Mutex<Cached?>(nil)

    init(_ credential: ClusterConfiguration.Credential) {
        self.credential = credential
    }

    /// The header's value for a request sent at `now`.
    ///
    /// A file that cannot be read any more leaves the last token in use: it may be in the middle of its replacement.
    func authorization(at now: ContinuousClock.Instant = .now) throws(KubernetesError) -> String? {
        switch credential {
        case .none:
            return nil
        case .token(let token):
            return "Bearer \(token)"
        case .basic(let user, let password):
            return "Basic \(Data("\(user):\(password)".utf8).base64EncodedString())"
        case .tokenFile(let path):
            let last = cached.withLock { $0 }
            if let last, now - last.readAt < Self.lifetime { return "Bearer \(last.token)" }
            let token = (try? ClusterConfiguration.readFile(path)).map { String(decoding: $0, as: UTF8.self).trimmed }
            if let token, !token.isEmpty {
                cached.withLock { $0 = Cached(token: token, readAt: now) }
                return "Bearer \(token)"
            }
            if let last { return "Bearer \(last.token)" }
            throw KubernetesError(.configuration, "the token file \(path) is empty or cannot be read")
        }
    }

    /// Called when the server refused the credential. Returns whether another try may fare better.
    func refused() -> Bool {
        guard case .tokenFile = credential else { return false }
        return cached.withLock { cached in
            cached?.readAt -= Self.lifetime
            return cached != nil
        }
    }
}
