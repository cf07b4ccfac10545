import CryptoExtras
import Foundation
import JWTKit

/// Somebody who issues tokens, with a fresh key.
struct Signer: Sendable {
    let publicPEM: String
    private let keys: JWTKeyCollection

    /// Signs the claims, which are JSON.
    func token(_ claims: String, header: JWTHeader = [:]) async throws -> String {
        try await keys.sign(AnyClaims(json: claims), header: header)
    }

    static func p256() async -> Signer {
        let key = ES256PrivateKey()
        return Signer(publicPEM: key.publicKey.pemRepresentation, keys: await JWTKeyCollection().add(ecdsa: key))
    }

    static func p384() async -> Signer {
        let key = ES384PrivateKey()
        return Signer(publicPEM: key.publicKey.pemRepresentation, keys: await JWTKeyCollection().add(ecdsa: key))
    }

    static func p521() async -> Signer {
        let key = ES512PrivateKey()
        return Signer(publicPEM: key.publicKey.pemRepresentation, keys: await JWTKeyCollection().add(ecdsa: key))
    }

    static func ed25519() async throws -> Signer {
        let key = try EdDSA.PrivateKey()
        return Signer(publicPEM: key.publicKey.pemRepresentation, keys: await JWTKeyCollection().add(eddsa: key))
    }

    static func rsa(_ digest: DigestAlgorithm = .sha256, isPSS: Bool = false) async throws -> Signer {
        let pem = try _RSA.Signing.PrivateKey(keySize: .bits2048).pemRepresentation
        let key = try Insecure.RSA.PrivateKey(pem: pem)
        let keys = JWTKeyCollection()
        if isPSS {
            await keys.add(pss: key, digestAlgorithm: digest)
        } else {
            await keys.add(rsa: key, digestAlgorithm: digest)
        }
        return Signer(publicPEM: key.publicKey.pemRepresentation, keys: keys)
    }

    /// Whoever knows a public key, and uses it as if it were a shared secret.
    static func confused(by other: Signer) async -> Signer {
        let keys = await JWTKeyCollection().add(hmac: HMACKey(from: other.publicPEM), digestAlgorithm: .sha256)
        return Signer(publicPEM: other.publicPEM, keys: keys)
    }

    /// Whoever signs with nothing.
    static func unsigned() async -> Signer {
        Signer(publicPEM: "", keys: await JWTKeyCollection().addUnsecuredNone())
    }
}

/// Claims as they come.
private struct AnyClaims: JWTPayload {
    private let members: [String: Member]

    init(json: String) throws {
        members = try JSONDecoder().decode([String: Member].self, from: Data(json.utf8))
    }

    init(from decoder: any Decoder) throws {
        members = try [String: Member](from: decoder)
    }

    func encode(to encoder: any Encoder) throws {
        try members.encode(to: encoder)
    }

    func verify(using algorithm: some JWTAlgorithm) async throws {}

    private enum Member: Codable {
        case text(String)
        case number(Int)
        case list([String])
        case null

        init(from decoder: any Decoder) throws {
            let container = try decoder.singleValueContainer()
            if container.decodeNil() {
                self = .null
            } else if let text = try? container.decode(String.self) {
                self = .text(text)
            } else if let number = try? container.decode(Int.self) {
                self = .number(number)
            } else {
                self = .list(try container.decode([String].self))
            }
        }

        func encode(to encoder: any Encoder) throws {
            var container = encoder.singleValueContainer()
            switch self {
            case .text(let text): try container.encode(text)
            case .number(let number): try container.encode(number)
            case .list(let list): try container.encode(list)
            case .null: try container.encodeNil()
            }
        }
    }
}
