import Foundation

/// Reads one direction of a connection, message by message. Blocks the thread.
struct WireReader {
    let descriptor: Int32
    private var buffer: [UInt8] = []

    init(_ descriptor: Int32) {
        self.descriptor = descriptor
    }

    /// Waits for more bytes; false when the connection has ended.
    mutating func fill() -> Bool {
        var bytes = [UInt8](repeating: 0, count: 65536)
        let count = recv(descriptor, &bytes, bytes.count, 0)
        guard count > 0 else { return false }
        buffer += bytes[..<count]
        return true
    }

    /// Whether more comes, or the end, within so many milliseconds.
    func waits(_ milliseconds: Int32) -> Bool {
        var descriptors = [pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)]
        return poll(&descriptors, 1, milliseconds) == 0
    }

    mutating func take(_ count: Int) -> [UInt8]? {
        while buffer.count < count { guard fill() else { return nil } }
        defer { buffer.removeFirst(count) }
        return Array(buffer[..<count])
    }

    /// All that is there already.
    mutating func takeRest() -> [UInt8] {
        defer { buffer = [] }
        return buffer
    }

    // MARK: HTTP/1.1

    /// A head with the empty line at its end.
    mutating func takeHead() -> HTTPHead? {
        let end: [UInt8] = Array("\r\n\r\n".utf8)
        var searched = 0
        while true {
            var index = max(searched - 3, 0)
            while index + 4 <= buffer.count {
                if buffer[index] == end[0], Array(buffer[index..<index + 4]) == end {
                    return take(index + 4).map(HTTPHead.init)
                }
                index += 1
            }
            searched = buffer.count
            guard fill() else { return nil }
        }
    }

    /// What follows a head: so many bytes, or chunks, as they are on the wire.
    mutating func takeBody(of head: HTTPHead) -> [UInt8]? {
        guard head.isChunked else { return take(head.contentLength) }
        var body: [UInt8] = []
        while true {
            guard let line = takeLine() else { return nil }
            body += line
            let size = Int(
                String(decoding: line, as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines), radix: 16)
            guard let size, let chunk = take(size + 2) else { return nil }
            body += chunk
            if size == 0 { return body }
        }
    }

    private mutating func takeLine() -> [UInt8]? {
        while true {
            if let end = buffer.firstIndex(of: UInt8(ascii: "\n")) { return take(end + 1) }
            guard fill() else { return nil }
        }
    }

    // MARK: PostgreSQL

    /// Whether a whole message is there already.
    var hasMessage: Bool { buffer.count >= 5 && buffer.count >= 1 + length(at: 1) }

    /// A message with its type and its length in front.
    mutating func takeMessage() -> [UInt8]? {
        while buffer.count < 5 { guard fill() else { return nil } }
        return take(1 + length(at: 1))
    }

    /// The first message of a client, which has no type.
    mutating func takeStartup() -> [UInt8]? {
        while buffer.count < 4 { guard fill() else { return nil } }
        return take(length(at: 0))
    }

    private func length(at index: Int) -> Int {
        buffer[index..<index + 4].reduce(0) { $0 << 8 | Int($1) }
    }
}

/// The first lines of a request or an answer.
struct HTTPHead {
    let bytes: [UInt8]
    /// The words of the first line: method and target, or version and status.
    let words: [String]
    private let fields: [String: String]

    init(_ bytes: [UInt8]) {
        self.bytes = bytes
        let lines = String(decoding: bytes, as: UTF8.self).split(separator: "\r\n")
        words = lines.first?.split(separator: " ").map(String.init) ?? []
        fields = Dictionary(
            lines.dropFirst().compactMap { line in
                let parts = line.split(separator: ":", maxSplits: 1)
                guard parts.count == 2 else { return nil }
                return (parts[0].lowercased(), parts[1].trimmingCharacters(in: .whitespaces))
            }, uniquingKeysWith: { first, _ in first })
    }

    var method: String { words.first ?? "" }
    var target: String { words.count > 1 ? words[1] : "" }
    var path: String { target.split(separator: "?", maxSplits: 1).first.map(String.init) ?? "" }
    var contentLength: Int { fields["content-length"].flatMap { Int($0) } ?? 0 }
    var isChunked: Bool { fields["transfer-encoding"] == "chunked" }

    var isWrite: Bool { method != "GET" }
    var isWatch: Bool { target.contains("watch=1") || target.contains("watch=true") }
    /// A list, and not of what carries a name: `…/migrations?resourceVersion=0&limit=500`.
    var isList: Bool { !isWrite && !isWatch && target.contains("?") && target.contains("resourceVersion=") }
}
