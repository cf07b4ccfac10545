/// Whom a client trusts, and how it shows who it is.
///
/// libcurl keeps certificate and authorities with a connection: requests with other ones go over another.
public struct TLSSettings: Sendable, Hashable {
    /// A client's certificate and its key, in PEM.
    public struct Identity: Sendable, Hashable {
        public var certificate: [UInt8]
        public var key: [UInt8]

        public init(certificate: [UInt8], key: [UInt8]) {
            self.certificate = certificate
            self.key = key
        }
    }

    /// The certificates, in PEM, that may have signed the server's; nil means those of the system.
    public var certificateAuthority: [UInt8]?
    /// The name in the server's certificate, where it is not the one in the address.
    public var serverName: String?
    /// Trusts whoever answers.
    public var skipsVerification: Bool
    public var identity: Identity?

    public init(
        certificateAuthority: [UInt8]? = nil,
        serverName: String? = nil,
        skipsVerification: Bool = false,
        identity: Identity? = nil
    ) {
        self.certificateAuthority = certificateAuthority
        self.serverName = serverName
        self.skipsVerification = skipsVerification
        self.identity = identity
    }
}
