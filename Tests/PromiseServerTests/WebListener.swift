import Foundation
import Synchronization
import TestSupport

/// A port of the loopback that takes requests, one a connection, and answers each with a status.
final class WebListener: Sendable {
    let port: Int
    private let descriptor: Int32
    private let taken = Mutex<[String]>([])

    var url: String { "http://127.0.0.1:\(port)/hook" }

    /// What came, head and body.
    var requests: [String] { taken.withLock { $0 } }

    /// - Parameters:
    ///   - status: such as `204 No Content`; nil never answers.
    ///   - header: one more header.
    init(status: String?, header: String = "X: y") throws {
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
            while true {
                let connection = accept(descriptor, nil, nil)
                guard connection >= 0 else { return }
                serve(connection, status, header)
            }
        }
    }

    /// Takes nothing more; the thread ends.
    func stop() {
        shutdown(descriptor, Int32(SHUT_RDWR))
    }

    private func serve(_ connection: Int32, _ status: String?, _ header: String) {
        var text = ""
        var buffer = [UInt8](repeating: 0, count: 65536)
        while !Self.isWhole(text) {
            let count = recv(connection, &buffer, buffer.count, 0)
            guard count > 0 else { break }
            text += String(decoding: buffer.prefix(count), as: UTF8.self)
        }
        taken.withLock { $0.append(text) }
        guard let status else { return }
        let answer = Array("HTTP/1.1 \(status)\r\n\(header)\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".utf8)
        _ = send(connection, answer, answer.count, Int32(MSG_NOSIGNAL))
        close(connection)
    }

    private static func isWhole(_ text: String) -> Bool {
        guard let end = text.range(of: "\r\n\r\n"), let length = text.firstMatch(of: /(?i)content-length: (\d+)/) else {
            return false
        }
        return text[end.upperBound...].utf8.count >= Int(length.1) ?? 0
    }
}
