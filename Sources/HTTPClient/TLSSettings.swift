/// Whom a client trusts, and how it shows who it is.
public struct TLSSettings: Sendable {
    /// The certificates, in PEM, that may have signed the server's; nil means those of the system.
    public var certificateAuthority: [UInt8]?
    /// The name in the server's certificate, where it is not the one in the address.
    public var serverName: String?
    /// Trusts whoever answers.
    public var skipsVerification: Bool
    /// The client's certificate and its key, in PEM.
    public var identity: (certificate: [UInt8], key: [UInt8])?

    public init(
        certificateAuthority: [UInt8]? = nil,
        serverName: String? = nil,
        skipsVerification: Bool = false,
        identity: (certificate: [UInt8], key: [UInt8])? = nil
    ) {
        self.certificateAuthority = certificateAuthority
        self.serverName = serverName
        self.skipsVerification = skipsVerification
        self.identity = identity
    }
}
