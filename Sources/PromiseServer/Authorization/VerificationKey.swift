internal import Foundation
internal import JWTKit

/// A public key, with the algorithms of the tokens that are signed with its private key.
struct VerificationKey: Sendable {
    /// By the name that a token's header gives its algorithm. A token is checked with the algorithm of its name and of no
    /// other, and `none` is never one.
    let algorithms: [String: JWTKeyCollection]

    /// Reads all public keys of a PEM text. Throws ``KeyFileError`` when there is none, or one that cannot be used.
    static func all(inPEM text: String) async throws -> [VerificationKey] {
        let end = "-----END PUBLIC KEY-----"
        let blocks = text.components(separatedBy: end).dropLast().compactMap { part in
            part.range(of: "-----BEGIN PUBLIC KEY-----").map { part[$0.lowerBound...] + end + "\n" }
        }
        if text.contains("PRIVATE KEY-----") {
            throw KeyFileError("it holds a private key; a server needs the public one")
        }
        if blocks.isEmpty { throw KeyFileError("it holds no public key; one begins with -----BEGIN PUBLIC KEY-----") }
        var keys: [VerificationKey] = []
        for block in blocks { keys.append(try await VerificationKey(pem: String(block))) }
        return keys
    }

    private init(pem: String) async throws {
        var algorithms: [String: JWTKeyCollection] = [:]
        if let key = try? Insecure.RSA.PublicKey(pem: pem) {
            algorithms["RS256"] = await JWTKeyCollection().add(rsa: key, digestAlgorithm: .sha256)
            algorithms["RS384"] = await JWTKeyCollection().add(rsa: key, digestAlgorithm: .sha384)
            algorithms["RS512"] = await JWTKeyCollection().add(rsa: key, digestAlgorithm: .sha512)
            algorithms["PS256"] = await JWTKeyCollection().add(pss: key, digestAlgorithm: .sha256)
            algorithms["PS384"] = await JWTKeyCollection().add(pss: key, digestAlgorithm: .sha384)
            algorithms["PS512"] = await JWTKeyCollection().add(pss: key, digestAlgorithm: .sha512)
        } else if let key = try? ES256PublicKey(pem: pem) {
            algorithms["ES256"] = await JWTKeyCollection().add(ecdsa: key)
        } else if let key = try? ES384PublicKey(pem: pem) {
            algorithms["ES384"] = await JWTKeyCollection().add(ecdsa: key)
        } else if let key = try? EdDSA.PublicKey(pem: pem) {
            algorithms["EdDSA"] = await JWTKeyCollection().add(eddsa: key)
        } else {
            throw KeyFileError("its key is none of RSA of at least 2048 bits, EC P-256, EC P-384 and Ed25519")
        }
        self.algorithms = algorithms
    }
}

/// What is wrong with a file of keys.
public struct KeyFileError: Error, Sendable, Hashable, CustomStringConvertible {
    public let description: String

    init(_ description: String) {
        self.description = description
    }
}
