import Foundation

/// A port of loopback that nobody listens at, for a server whose address has to be known before it starts.
///
/// Below the range from which the kernel takes the ports of outgoing connections, so that between this and the server's
/// start nothing but another server could take it.
public func freePort() throws -> Int {
    for _ in 0..<200 {
        let port = Int.random(in: 10_000..<30_000)
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(descriptor) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = in_port_t(port).bigEndian
        address.sin_addr.s_addr = in_addr_t(0x7f00_0001).bigEndian
        let result = withUnsafePointer(to: address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        if result == 0 { return port }
    }
    throw TestFailure("there is no free port on 127.0.0.1 between 10000 and 30000")
}
