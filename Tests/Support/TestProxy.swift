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
        (listener, port) = try Loopback.listen()
        Thread.detachNewThread { [self] in
            while let client = Loopback.accept(listener) {
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
            for client in connections { Loopback.reset(client) }
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
        guard meet(client), let server = Loopback.connect(to: target) else { return }
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
            guard let byte = Loopback.read(1, from: client) else { return false }
            head.unicodeScalars.append(Unicode.Scalar(byte[0]))
        }
        let words = head.split(separator: " ")
        guard words.count > 1, words[0] == "CONNECT" else { return false }
        places.withLock { $0.append(String(words[1])) }
        // With a header, as some have, that is none of the server's answer.
        return Loopback.write("HTTP/1.1 200 Connection established\r\nX-Proxy: yes\r\n\r\n".utf8, to: client)
    }

    private func meetBySocks(_ client: Int32) -> Bool {
        guard let greeting = Loopback.read(2, from: client), Loopback.read(Int(greeting[1]), from: client) != nil,
            Loopback.write([5, 0], to: client), let request = Loopback.read(4, from: client)
        else { return false }
        let place: String
        switch request[3] {
        case 1:
            guard let address = Loopback.read(4, from: client) else { return false }
            place = address.map(String.init).joined(separator: ".")
        case 3:
            guard let length = Loopback.read(1, from: client), let name = Loopback.read(Int(length[0]), from: client)
            else {
                return false
            }
            place = String(decoding: name, as: UTF8.self)
        default:
            return false
        }
        guard let port = Loopback.read(2, from: client) else { return false }
        places.withLock { $0.append("\(place):\(Int(port[0]) << 8 + Int(port[1]))") }
        return Loopback.write([5, 0, 0, 1, 127, 0, 0, 1, 0, 0], to: client)
    }
}
