/// Cuts a stream of bytes into lines, wherever the pieces that it comes in begin and end.
public struct LineSplitter: Sendable {
    /// The stream has a line that is longer than is read.
    public struct LineTooLong: Error {
        public var limit: Int
    }

    let limit: Int
    let keepsEmpty: Bool
    private var buffer: [UInt8] = []
    /// Where the next line begins, and up to where no end of it was found.
    private var start = 0
    private var searched = 0

    /// - Parameters:
    ///   - limit: the longest line, in bytes, without its end.
    ///   - keepsEmpty: whether empty lines mean something.
    public init(limit: Int, keepsEmpty: Bool = false) {
        self.limit = limit
        self.keepsEmpty = keepsEmpty
    }

    public mutating func append(_ bytes: [UInt8]) {
        if start > 0 {
            buffer.removeSubrange(..<start)
            searched -= start
            start = 0
        }
        buffer += bytes
    }

    /// The next line that is whole, without its end; nil until more bytes come. Empty lines are left out, unless
    /// they are kept.
    public mutating func next() throws(LineTooLong) -> [UInt8]? {
        while let end = buffer[searched...].firstIndex(of: UInt8(ascii: "\n")) {
            let line = buffer[start..<end]
            start = end + 1
            searched = start
            guard line.count <= limit else { throw LineTooLong(limit: limit) }
            if keepsEmpty || !line.isEmpty { return Array(line) }
        }
        searched = buffer.count
        guard buffer.count - start <= limit else { throw LineTooLong(limit: limit) }
        return nil
    }
}
