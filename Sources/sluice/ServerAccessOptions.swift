import ArgumentParser
import Foundation
import PromiseServer

/// Who may ask `sluice server` for what.
struct ServerAccessOptions: ParsableArguments {
    @Option(
        name: .long,
        help: ArgumentHelp(
            "A PEM file of public keys: RSA, EC P-256, EC P-384, Ed25519. Requests then need a JWT.",
            discussion: "Its claim role=admin allows everything, else its claim prefix says which ids.",
            valueName: "file"
        )
    )
    var authKeyFile: String?

    @Option(name: .long, help: "What the token's iss has to be.")
    var authIssuer: String?

    @Option(name: .long, help: "What the token's aud has to contain.")
    var authAudience: String?

    @Flag(name: .long, help: "Take debug.* requests, of administrators: they stop timers, and erase everything.")
    var debug = false

    @Option(
        name: .long,
        help: ArgumentHelp("A file with a secret that makes its bearer an administrator.", valueName: "file")
    )
    var debugTokenFile: String?

    func isDebugging() throws -> Bool {
        try EnvironmentSetting.flag(debug, "SLUICE_DEBUG")
    }

    /// Nil when everybody may do everything.
    func authenticator() async throws -> Authenticator? {
        let keyFile = try EnvironmentSetting.access(authKeyFile, "SLUICE_AUTH_KEY_FILE")
        let tokenFile = try EnvironmentSetting.access(debugTokenFile, "SLUICE_DEBUG_TOKEN_FILE")
        let issuer = try EnvironmentSetting.access(authIssuer, "SLUICE_AUTH_ISSUER")
        let audience = try EnvironmentSetting.access(authAudience, "SLUICE_AUTH_AUDIENCE")
        if try isDebugging() {
            guard keyFile != nil || tokenFile != nil else {
                throw ValidationError(
                    "--debug lets whoever may do so erase everything, so it needs --debug-token-file or --auth-key-file"
                )
            }
        } else if tokenFile != nil {
            throw ValidationError("--debug-token-file goes with --debug")
        }
        if keyFile == nil, issuer != nil || audience != nil {
            throw ValidationError("--auth-issuer and --auth-audience go with --auth-key-file")
        }
        guard keyFile != nil || tokenFile != nil else { return nil }
        do {
            return try await Authenticator(
                keysPEM: try keyFile.map(TextFile.read),
                issuer: issuer,
                audience: audience,
                secret: try tokenFile.map(Self.secret)
            )
        } catch let error as KeyFileError {
            throw ValidationError("\(keyFile ?? "the key file"): \(error)")
        }
    }

    /// Who may do what, for the log.
    static func rule(_ authenticator: Authenticator?) -> String {
        let open = "requests need no token: everybody who reaches this server may do everything"
        return switch authenticator?.asksForTokens {
        case true?: "requests need a token that a key of the key file has signed"
        case false?: "\(open); debug.* needs the secret"
        case nil: "\(open) but debug.*"
        }
    }

    private static func secret(_ path: String) throws -> String {
        let secret = try TextFile.read(path).trimmingCharacters(in: .whitespacesAndNewlines)
        guard secret.utf8.count >= 16 else { throw ValidationError("\(path): a secret has at least 16 characters") }
        return secret
    }
}
