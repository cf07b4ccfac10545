/// A host that messages may be posted to: `name`, on any port, or `name:port`, as it stands in a URL.
public struct PushHost: Sendable, Hashable, CustomStringConvertible {
    /// In lower case, with the port where one is given.
    public let description: String

    /// Nil for what no address that is read here has as its host: a URL, a pattern, nothing.
    public init?(_ text: String) {
        self.init(of: "http://\(text)")
        guard description == text.lowercased() else { return nil }
    }

    /// The host of an address; nil when there is anything about it that two programs might read differently.
    init?(of address: String) {
        guard let scheme = address.firstRange(of: "://") else { return nil }
        let authority = address[scheme.upperBound...].prefix { !"/?#".contains($0) }.lowercased()
        guard !authority.unicodeScalars.contains(where: Self.isOdd), Self.hasNameAndPort(authority) else { return nil }
        description = authority
    }

    /// All those of which it is better not to say which they are.
    static let unreadable = PushHost(description: "(unreadable)")

    /// The same on any port.
    var anyPort: PushHost {
        PushHost(description: String(Self.parts(description).name))
    }

    private init(description: String) {
        self.description = description
    }

    private static func isOdd(_ scalar: Unicode.Scalar) -> Bool {
        scalar.value <= 0x20 || (0x7F...0x9F).contains(scalar.value) || "@\\%*,\"'<>".unicodeScalars.contains(scalar)
    }

    /// A name without a colon, or an IPv6 address in brackets, and a port that there is, if any.
    private static func hasNameAndPort(_ authority: String) -> Bool {
        let (name, port) = parts(authority)
        if let port {
            guard port.allSatisfy(\.isNumber), let number = UInt16(port), number > 0 else { return false }
        }
        guard name.hasPrefix("[") else { return !name.isEmpty && !name.contains { "[]:".contains($0) } }
        return name.hasSuffix("]") && name.count > 2
            && name.dropFirst().dropLast().allSatisfy { $0.isHexDigit || ":.".contains($0) }
    }

    /// That of an IPv6 address in brackets is told from the address.
    private static func parts(_ authority: String) -> (name: Substring, port: Substring?) {
        guard let colon = authority.lastIndex(of: ":"), !authority[colon...].contains("]") else {
            return (authority[...], nil)
        }
        return (authority[..<colon], authority[authority.index(after: colon)...])
    }
}
