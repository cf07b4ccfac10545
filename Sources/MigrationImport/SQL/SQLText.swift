import SchemaChange

typealias SQLToken = SQLLexeme

/// Why a text is not taken over, and where.
struct Refusal: Error, Hashable, Sendable {
    var reason: String
    /// In bytes of the SQL text that is being read; nil means the statement or operation as a whole.
    var offset: Int?

    init(_ reason: String, at offset: Int? = nil) {
        self.reason = reason
        self.offset = offset
    }
}

/// A text of SQL and its tokens, without the comments.
struct SQLText: Sendable {
    let bytes: [UInt8]
    let tokens: [SQLToken]

    init(_ text: String) throws(Refusal) {
        bytes = Array(text.utf8)
        let (lexemes, flaw) = SQLLexer.read(bytes)
        if let flaw { throw Refusal(flaw.reason, at: flaw.offset) }
        if let escaped = lexemes.first(where: { $0.kind == .escaped }) {
            throw Refusal(
                "a string or name with characters by their number is not read; write the characters",
                at: escaped.range.lowerBound)
        }
        tokens = lexemes
    }

    /// The text of tokens that follow each other: without comments, its spaces single, dollar-quoted strings in plain quotes.
    ///
    /// So it is on one line, and can stand in a larger statement, unless a string in it has lines.
    func text(of tokens: some BidirectionalCollection<SQLToken>) -> String {
        var result = ""
        var end: Int?
        for token in tokens {
            if let end, end < token.range.lowerBound { result += " " }
            if case .string(let value) = token.kind, bytes[token.range.lowerBound] == UInt8(ascii: "$") {
                result += value.quotedLiteral
            } else {
                result += String(decoding: bytes[token.range], as: UTF8.self)
            }
            end = token.range.upperBound
        }
        return result
    }

    /// Line and column, from 1; the column in characters.
    func place(of offset: Int) -> (line: Int, column: Int) { Self.place(of: offset, in: bytes) }

    static func place(of offset: Int, in bytes: [UInt8]) -> (line: Int, column: Int) {
        let before = bytes[..<min(offset, bytes.count)]
        let line = before.count { $0 == UInt8(ascii: "\n") } + 1
        let start = before.lastIndex(of: UInt8(ascii: "\n")).map { $0 + 1 } ?? 0
        return (line, String(decoding: before[start...], as: UTF8.self).count + 1)
    }
}
