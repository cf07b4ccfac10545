internal import Foundation

/// One of the hosts that a connection may be made to.
struct DatabaseHost: Sendable, Hashable {
    /// A host name or an address; or, the operator's only, a socket's directory, or nothing for the default one.
    let name: String
    let port: Int
    /// The address in numbers, once it is known. A local socket has none.
    var address: String?

    var isSocket: Bool {
        name.isEmpty || name.hasPrefix("/") || name.hasPrefix("@")
    }

    /// The hosts that libpq's `host`, `hostaddr` and `port` name, which are lists by comma.
    static func list(_ values: [String: String]) throws(PostgresError) -> [DatabaseHost] {
        func elements(_ keyword: String) -> [String] {
            values[keyword, default: ""].split(separator: ",", omittingEmptySubsequences: false).map(String.init)
        }
        let names = elements("host")
        let addresses = elements("hostaddr")
        let ports = elements("port").map { Int($0) ?? 5432 }
        let count = max(names.count, addresses.count)
        guard names.count == 1 || addresses.count <= 1 || names.count == addresses.count,
            ports.count <= 1 || ports.count == count
        else {
            throw PostgresError(.configuration, "the database URL does not name as many ports as hosts")
        }
        if count == 0 { return [DatabaseHost(name: "", port: ports.first ?? 5432)] }
        return (0..<count).map { index in
            let address = index < addresses.count && !addresses[index].isEmpty ? addresses[index] : nil
            let name = index < names.count ? names[index] : address ?? ""
            return DatabaseHost(
                name: name, port: ports.count > 1 ? ports[index] : ports.first ?? 5432, address: address)
        }
    }

    /// The host once per address that its name stands for. Blocks for as long as the resolver takes; empty when there
    /// is none.
    func resolved() -> [DatabaseHost] {
        guard !isSocket, address == nil else { return [self] }
        var hints = addrinfo()
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        var list: UnsafeMutablePointer<addrinfo>?
        guard getaddrinfo(name, nil, &hints, &list) == 0 else { return [] }
        defer { freeaddrinfo(list) }
        var found: [DatabaseHost] = []
        var next = list
        while let entry = next {
            next = entry.pointee.ai_next
            var text = [CChar](repeating: 0, count: Int(NI_MAXHOST))
            let length = entry.pointee.ai_addrlen
            let failed = getnameinfo(
                entry.pointee.ai_addr, length, &text, socklen_t(text.count), nil, 0, NI_NUMERICHOST
            )
            guard failed == 0 else { continue }
            let bytes = text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }
            found.append(DatabaseHost(name: name, port: port, address: String(decoding: bytes, as: UTF8.self)))
        }
        return found
    }
}
