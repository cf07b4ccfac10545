import Foundation
import Synchronization

/// A port of the loopback that takes HTTP requests, and does with each what a test says: answers, hangs up, or says nothing.
public final class ScriptedServer: Sendable {
    /// What is done with a request once it is there as a whole.
    public enum Act: Sendable {
        /// Writes that, and then takes the next request of the connection, or ends it.
        case write(String, thenClose: Bool = false)
        /// Holds the connection, and writes nothing.
        case silence

        /// Ends the connection without a word.
        public static let hangUp = Act.write("", thenClose: true)

        /// An answer, whole. The connection stays open.
        ///
        /// - Parameters:
        ///   - status: such as `204 No Content`.
        ///   - headers: lines besides the length.
        public static func answer(_ status: String, headers: [String] = [], body: String = "") -> Act {
            let head = ["HTTP/1.1 \(status)"] + headers + ["Content-Length: \(body.utf8.count)"]
            return .write(head.joined(separator: "\r\n") + "\r\n\r\n" + body)
        }

        /// An answer that comes in pieces and stays open, as a watch does; or whose connection ends before it does.
        public static func pieces(_ pieces: [String], thenClose: Bool = false) -> Act {
            let head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
            let chunks = pieces.map { String($0.utf8.count, radix: 16) + "\r\n" + $0 + "\r\n" }
            return .write(head + chunks.joined(), thenClose: thenClose)
        }
    }

    /// What came, head and body, and by which connection, counted from 1.
    public struct Request: Sendable, Hashable {
        public var connection: Int
        public var text: String
    }

    public let port: Int
    private let descriptor: Int32
    private let act: @Sendable (_ number: Int, _ request: String) -> Act
    private let taken = Mutex<[Request]>([])
    private let ends = Atomic(0)

    public var url: String { "http://127.0.0.1:\(port)" }

    /// The requests that came, in order.
    public var requests: [Request] { taken.withLock { $0 } }

    /// How many connections have ended.
    public var ended: Int { ends.load(ordering: .acquiring) }

    /// - Parameter act: what to do with a request, by its number, counted from 1.
    public convenience init(_ act: @escaping @Sendable (_ request: Int) -> Act) throws {
        try self.init(reading: { number, _ in act(number) })
    }

    /// - Parameter act: what to do with a request, by its number, counted from 1, and its text.
    public init(reading act: @escaping @Sendable (_ number: Int, _ request: String) -> Act) throws {
        self.act = act
        descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let descriptor = descriptor
        let failed = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { pointer in
                bind(descriptor, pointer, length) != 0 || listen(descriptor, 8) != 0
                    || getsockname(descriptor, pointer, &length) != 0
            }
        }
        guard !failed else { throw TestFailure("no port to listen on") }
        port = Int(UInt16(bigEndian: address.sin_port))
        Thread.detachNewThread { [self] in
            var count = 0
            while true {
                let connection = accept(descriptor, nil, nil)
                guard connection >= 0 else { break }
                count += 1
                let number = count
                Thread.detachNewThread { self.serve(connection, number) }
            }
            close(descriptor)
        }
    }

    /// Takes no more connections; those that are open stay.
    public func stop() {
        shutdown(descriptor, Int32(SHUT_RDWR))
    }

    private func serve(_ connection: Int32, _ number: Int) {
        var text = ""
        var buffer = [UInt8](repeating: 0, count: 65536)
        while true {
            let count = recv(connection, &buffer, buffer.count, 0)
            guard count > 0 else { break }
            text += String(decoding: buffer.prefix(count), as: UTF8.self)
            guard Self.isWhole(text) else { continue }
            let request = Request(connection: number, text: text)
            text = ""
            let place = taken.withLock { taken in
                taken.append(request)
                return taken.count
            }
            guard case .write(let answer, let thenClose) = act(place, request.text) else { continue }
            let bytes = Array(answer.utf8)
            _ = send(connection, bytes, bytes.count, Int32(MSG_NOSIGNAL))
            if thenClose { break }
        }
        close(connection)
        ends.add(1, ordering: .releasing)
    }

    private static func isWhole(_ text: String) -> Bool {
        guard let end = text.range(of: "\r\n\r\n") else { return false }
        let length = text.firstMatch(of: /(?i)content-length: (\d+)/).flatMap { Int($0.1) } ?? 0
        return text[end.upperBound...].utf8.count >= length
    }
}
