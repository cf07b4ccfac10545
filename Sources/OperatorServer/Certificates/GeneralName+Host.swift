internal import Foundation
internal import NIOCore
internal import SwiftASN1
internal import X509

extension GeneralName {
    /// A host's name, or its address.
    init(host: String) {
        switch try? SocketAddress(ipAddress: host, port: 0) {
        case .v4(let address): self = .ipAddress(Self.octets(address.address.sin_addr))
        case .v6(let address): self = .ipAddress(Self.octets(address.address.sin6_addr))
        case .unixDomainSocket, nil: self = .dnsName(host)
        }
    }

    /// An address as it goes over the network.
    private static func octets(_ address: some Any) -> ASN1OctetString {
        ASN1OctetString(contentBytes: withUnsafeBytes(of: address) { [UInt8]($0)[...] })
    }
}
