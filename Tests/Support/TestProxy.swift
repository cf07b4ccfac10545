import Dispatch
import Foundation
import Synchronization

/// A proxy on the loopback, all of whose connections go to one port: what a test may see, freeze and cut.
public final class TestProxy: Sendable {
    /// How a client tells where it wants to go.
    public enum Kind: Sendable {
        /// By `CONNECT` (RFC 9110, section 9.3.6).
        case connect
        /// By SOCKS 5 (RFC 1928), without a user.
        case socks5
        /// It does not: it takes the proxy for the server.
        case none
    }

    public let port: Int
    private let kind: Kind
    private let target: Int
    private let listener: Int32
    private let thawed = NSCondition()
    private let places = Mutex<[String]>([])
    private let connections = Mutex<Set<Int32>>([])
    private let frozen = Mutex(false)

    /// Where clients wanted to go, in order: `name:port`.
    public var asked: [String] { places.withLock { $0 } }

    /// How many connections of clients are open.
    public var open: Int { connections.withLock { $0.count } }

    /// - Parameter target: the port of loopback to which all goes.
    public init(_ kind: Kind, to target: Int) throws {
        self.kind = kind
        self.target = target
        (listener, port) = try Self.listen()
        Thread.detachNewThread { [self] in
            while true {
                let client = accept(listener, nil, nil)
                guard client >= 0 else { break }
                _ = connections.withLock { $0.insert(client) }
                Thread.detachNewThread { self.serve(client) }
            }
            close(listener)
        }
    }

    /// Hands on nothing more, in either direction, and keeps all connections: as a network that drops every packet.
    public func freeze() {
        frozen.withLock { $0 = true }
    }

    public func thaw() {
        thawed.lock()
        frozen.withLock { $0 = false }
        thawed.broadcast()
        thawed.unlock()
    }

    /// Resets all connections of clients (RST).
    public func cut() {
        connections.withLock { connections in
            for client in connections {
                // Closed at once, with what was not sent yet thrown away.
                var linger = linger(l_onoff: 1, l_linger: 0)
                setsockopt(client, SOL_SOCKET, SO_LINGER, &linger, socklen_t(MemoryLayout.size(ofValue: linger)))
                shutdown(client, Int32(SHUT_RD))
            }
        }
    }

    /// Takes no more connections, and cuts those that are open.
    public func stop() {
        shutdown(listener, Int32(SHUT_RDWR))
        cut()
        thaw()
    }

    private func serve(_ client: Int32) {
        defer {
            _ = connections.withLock { $0.remove(client) }
            close(client)
        }
        guard meet(client), let server = Self.connect(to: target) else { return }
        let answered = DispatchSemaphore(value: 0)
        Thread.detachNewThread { [self] in
            pump(from: server, to: client)
            // Wakes the other direction, and says nothing to the client yet.
            shutdown(client, Int32(SHUT_RD))
            answered.signal()
        }
        pump(from: client, to: server)
        shutdown(server, Int32(SHUT_RDWR))
        answered.wait()
        close(server)
    }

    private func pump(from source: Int32, to sink: Int32) {
        var buffer = [UInt8](repeating: 0, count: 65536)
        while true {
            let count = recv(source, &buffer, buffer.count, 0)
            guard count > 0 else { return }
            thawed.lock()
            while frozen.withLock({ $0 }) { thawed.wait() }
            thawed.unlock()
            guard send(sink, buffer, count, Int32(MSG_NOSIGNAL)) == count else { return }
        }
    }

    // MARK: What comes before the bytes

    private func meet(_ client: Int32) -> Bool {
        switch kind {
        case .none: true
        case .connect: meetByConnect(client)
        case .socks5: meetBySocks(client)
        }
    }

    private func meetByConnect(_ client: Int32) -> Bool {
        var head = ""
        while !head.hasSuffix("\r\n\r\n") {
            guard let byte = Self.read(1, from: client) else { return false }
            head.unicodeScalars.append(Unicode.Scalar(byte[0]))
        }
        let words = head.split(separator: " ")
        guard words.count > 1, words[0] == "CONNECT" else { return false }
        places.withLock { $0.append(String(words[1])) }
        // With a header, as some have, that is none of the server's answer.
        return Self.write("HTTP/1.1 200 Connection established\r\nX-Proxy: yes\r\n\r\n".utf8, to: client)
    }

    private func meetBySocks(_ client: Int32) -> Bool {
        guard let greeting = Self.read(2, from: client), Self.read(Int(greeting[1]), from: client) != nil,
            Self.write([5, 0], to: client), let request = Self.read(4, from: client)
        else { return false }
        let place: String
        switch request[3] {
        case 1:
            guard let address = Self.read(4, from: client) else { return false }
            place = address.map(String.init).joined(separator: ".")
        case 3:
            guard let length = Self.read(1, from: client), let name = Self.read(Int(length[0]), from: client) else {
                return false
            }
            place = String(decoding: name, as: UTF8.self)
        default:
            return false
        }
        guard let port = Self.read(2, from: client) else { return false }
        places.withLock { $0.append("\(place):\(Int(port[0]) << 8 + Int(port[1]))") }
        return Self.write([5, 0, 0, 1, 127, 0, 0, 1, 0, 0], to: client)
    }

    // MARK: Sockets

    private static func read(_ count: Int, from descriptor: Int32) -> [UInt8]? {
        var bytes = [UInt8](repeating: 0, count: count)
        guard count == 0 || recv(descriptor, &bytes, count, Int32(MSG_WAITALL)) == count else { return nil }
        return bytes
    }

    private static func write(_ bytes: some Sequence<UInt8>, to descriptor: Int32) -> Bool {
        let bytes = Array(bytes)
        return send(descriptor, bytes, bytes.count, Int32(MSG_NOSIGNAL)) == bytes.count
    }

    private static func loopback(_ port: Int) -> sockaddr_in {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        address.sin_port = UInt16(port).bigEndian
        return address
    }

    private static func connect(to port: Int) -> Int32? {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = loopback(port)
        let failed = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { pointer in
                Glibc.connect(descriptor, pointer, socklen_t(MemoryLayout<sockaddr_in>.size)) != 0
            }
        }
        if failed { close(descriptor) }
        return failed ? nil : descriptor
    }

    private static func listen() throws -> (descriptor: Int32, port: Int) {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = loopback(0)
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let failed = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { pointer in
                bind(descriptor, pointer, length) != 0 || Glibc.listen(descriptor, 8) != 0
                    || getsockname(descriptor, pointer, &length) != 0
            }
        }
        guard !failed else { throw TestFailure("no port to listen on") }
        return (descriptor, Int(UInt16(bigEndian: address.sin_port)))
    }
}
