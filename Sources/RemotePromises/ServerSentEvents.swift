internal import HTTPClient

/// The data of the events of a stream, as the HTML standard has it ("Server-sent events"): of all fields only `data` counts.
struct ServerSentEvents {
    private var lines = LineSplitter(limit: 64 << 20, keepsEmpty: true)
    private var data: [UInt8]?

    mutating func append(_ bytes: [UInt8]) {
        lines.append(bytes)
    }

    /// The data of the next event that is whole; nil until more bytes come. Throws when a line is too long to be one of ours.
    mutating func next() throws -> [UInt8]? {
        while var line = try lines.next() {
            if line.last == UInt8(ascii: "\r") { line.removeLast() }
            if line.isEmpty {
                defer { data = nil }
                if let data { return data }
            } else if line.starts(with: Self.field) {
                var value = line.dropFirst(Self.field.count)
                if value.first == UInt8(ascii: " ") { value = value.dropFirst() }
                data = (data.map { $0 + [UInt8(ascii: "\n")] } ?? []) + value
            }
        }
        return nil
    }

    private static let field = Array("data:".utf8)
}
