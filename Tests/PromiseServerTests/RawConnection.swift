import Foundation
import TestSupport

/// A TCP connection whose bytes a test writes and reads by itself, so that nothing between makes them proper.
final class RawConnection: Sendable {
    private let descriptor: Int32

    /// - Parameter receiveBuffer: how many bytes the kernel shall take before they are read, about; nil leaves it to the kernel.
    init(port: Int, receiveBuffer: Int32? = nil) throws {
        descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        if var receiveBuffer {
            setsockopt(descriptor, SOL_SOCKET, SO_RCVBUF, &receiveBuffer, socklen_t(MemoryLayout<Int32>.size))
        }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = in_port_t(port).bigEndian
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        let descriptor = descriptor
        let result = withUnsafePointer(to: address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard result == 0 else { throw TestFailure("nothing listens on port \(port)") }
        _ = fcntl(descriptor, F_SETFL, O_NONBLOCK)
    }

    deinit {
        close(descriptor)
    }

    func write(_ text: String) throws {
        var rest = Array(text.utf8)[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
            guard count > 0 else { throw TestFailure("the connection is closed: \(String(cString: strerror(errno)))") }
            rest = rest.dropFirst(count)
        }
    }

    /// Sends nothing more, and goes on reading.
    func endWriting() {
        shutdown(descriptor, Int32(SHUT_WR))
    }

    /// Reads until the text is as wanted, and returns all that came.
    func read(
        _ what: String,
        within limit: Duration = .seconds(10),
        file: String = #fileID,
        line: Int = #line,
        until isWanted: (String) -> Bool
    ) async throws -> String {
        var bytes: [UInt8] = []
        return try await eventually(what, within: limit, every: .milliseconds(5), file: file, line: line) {
            while let more = self.receive(), !more.isEmpty { bytes += more }
            return String(decoding: bytes, as: UTF8.self)
        } until: {
            isWanted($0)
        }
    }

    /// Reads until the server closes, and returns what came.
    func readToEnd(
        within limit: Duration = .seconds(10),
        file: String = #fileID,
        line: Int = #line
    ) async throws -> String {
        var bytes: [UInt8] = []
        try await eventually(
            "the end of the connection", within: limit, every: .milliseconds(5), file: file, line: line
        ) {
            while let more = self.receive() {
                if more.isEmpty { return true }
                bytes += more
            }
            return false
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// Reads an answer with a length as a slow line would bring it, so that it takes a given time. Returns how many bytes are
    /// missing at its end.
    func missingBytes(readingFor time: Duration) async throws -> Int {
        let clock = ContinuousClock()
        let start = clock.now
        var head: [UInt8] = []
        var total: Int?
        var read = 0
        while read < total ?? .max {
            let due = total.map { Int(Double($0) * min(1, (clock.now - start) / time)) } ?? .max
            if read < due, let more = receive() {
                if more.isEmpty { return (total ?? .max) - read }
                read += more.count
                if total == nil {
                    head += more
                    total = Self.length(of: String(decoding: head, as: UTF8.self))
                }
            } else {
                guard clock.now - start < time * 4 else { throw TestFailure("only \(read) bytes came") }
                try await clock.sleep(for: .milliseconds(5))
            }
        }
        return 0
    }

    /// How many bytes an answer has that begins so, once its head is there.
    private static func length(of text: String) -> Int? {
        guard let end = text.range(of: "\r\n\r\n"), let length = text.firstMatch(of: /Content-Length: (\d+)/) else {
            return nil
        }
        return text[..<end.upperBound].utf8.count + (Int(length.1) ?? 0)
    }

    /// Reads one answer with a length.
    func readAnswer(file: String = #fileID, line: Int = #line) async throws -> TestAnswer {
        let text = try await read("an answer", file: file, line: line) { TestAnswer($0) != nil }
        guard let answer = TestAnswer(text) else { throw TestFailure("no answer: \(text)") }
        return answer
    }

    /// What is there; empty at the end, nil when there is nothing yet.
    private func receive() -> [UInt8]? {
        var buffer = [UInt8](repeating: 0, count: 65536)
        let count = recv(descriptor, &buffer, buffer.count, 0)
        if count >= 0 { return Array(buffer.prefix(count)) }
        return errno == EAGAIN ? nil : []
    }
}

/// An answer with a length, whole.
struct TestAnswer {
    var status: Int
    var head: String
    var body: String

    init?(_ text: String) {
        guard let end = text.range(of: "\r\n\r\n") else { return nil }
        head = String(text[..<end.lowerBound])
        let words = head.split(separator: " ", maxSplits: 2)
        guard words.count > 1, let status = Int(words[1]) else { return nil }
        self.status = status
        body = String(text[end.upperBound...])
        guard let length = head.firstMatch(of: /Content-Length: (\d+)/), body.utf8.count >= Int(length.1) ?? 0 else {
            return nil
        }
    }
}
