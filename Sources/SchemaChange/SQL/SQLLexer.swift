/// PostgreSQL's lexical structure: <https://www.postgresql.org/docs/15/sql-syntax-lexical.html>.
package struct SQLLexer {
    /// What PostgreSQL would not read, and where.
    package struct Flaw: Error, Hashable, Sendable {
        package let reason: String
        /// In bytes of the text.
        package let offset: Int

        fileprivate init(_ reason: String, at offset: Int) {
            self.reason = reason
            self.offset = offset
        }
    }

    private let bytes: [UInt8]
    private var index = 0
    private var lexemes: [SQLLexeme] = []

    /// All that can be read; with a flaw, what stands before it. Comments are left out.
    package static func read(_ bytes: [UInt8]) -> (lexemes: [SQLLexeme], flaw: Flaw?) {
        var lexer = SQLLexer(bytes)
        // The mark that some editors put before UTF-8.
        if lexer.isAt("\u{FEFF}") { lexer.index = 3 }
        do throws(Flaw) {
            while try lexer.advance() {}
        } catch {
            return (lexer.lexemes, error)
        }
        return (lexer.lexemes, nil)
    }

    private init(_ bytes: [UInt8]) {
        self.bytes = bytes
    }

    private func peek(_ offset: Int = 0) -> UInt8? {
        index + offset < bytes.count ? bytes[index + offset] : nil
    }

    private func isAt(_ text: StaticString) -> Bool {
        text.withUTF8Buffer { wanted in
            bytes.count - index >= wanted.count && bytes[index..<index + wanted.count].elementsEqual(wanted)
        }
    }

    private mutating func add(_ kind: SQLLexeme.Kind, from start: Int) {
        lexemes.append(SQLLexeme(kind: kind, range: start..<index))
    }

    private func text(_ range: Range<Int>) -> String { String(decoding: bytes[range], as: UTF8.self) }

    /// Past one token, or one stretch of space or comment; false at the end.
    private mutating func advance() throws(Flaw) -> Bool {
        guard let byte = peek() else { return false }
        let start = index
        switch byte {
        case UInt8(ascii: " "), UInt8(ascii: "\t"), UInt8(ascii: "\n"), UInt8(ascii: "\r"), 0x0B, 0x0C:
            index += 1
        case _ where isAt("--"):
            while let next = peek(), next != UInt8(ascii: "\n") { index += 1 }
        case _ where isAt("/*"):
            try skipComment()
        case UInt8(ascii: "'"):
            add(.string(try quoted(by: UInt8(ascii: "'"), "a string is not closed")), from: start)
        case UInt8(ascii: "\""):
            add(.name(try quoted(by: UInt8(ascii: "\""), "a quoted name is not closed")), from: start)
        case UInt8(ascii: "$"):
            if let tag = dollarTag() {
                add(.string(try dollarQuoted(tag)), from: start)
            } else {
                index += 1
                while let next = peek(), Self.isDigit(next) { index += 1 }
                add(.constant, from: start)
            }
        case _ where Self.isDigit(byte) || byte == UInt8(ascii: ".") && peek(1).map(Self.isDigit) == true:
            skipNumber()
            add(.constant, from: start)
        case _ where Self.startsName(byte):
            try word()
        case UInt8(ascii: "\\"):
            throw Flaw("a command of psql is not SQL; leave it out", at: start)
        default:
            try sign()
        }
        return true
    }

    private mutating func word() throws(Flaw) {
        let start = index
        while let next = peek(), Self.continuesName(next) { index += 1 }
        let word = text(start..<index).lowercasedASCII
        // A prefix of a string that follows at once.
        switch (word, peek()) {
        case ("e", UInt8(ascii: "'")):
            add(try escapedString().map { .string($0) } ?? .escaped, from: start)
        case ("n", UInt8(ascii: "'")):
            add(.string(try quoted(by: UInt8(ascii: "'"), "a string is not closed")), from: start)
        case ("b", UInt8(ascii: "'")), ("x", UInt8(ascii: "'")):
            _ = try quoted(by: UInt8(ascii: "'"), "a string is not closed")
            add(.constant, from: start)
        case ("u", UInt8(ascii: "&")) where peek(1) == UInt8(ascii: "'") || peek(1) == UInt8(ascii: "\""):
            index += 1
            _ = try quoted(by: bytes[index], "a string or name with U& is not closed")
            add(.escaped, from: start)
        default:
            add(.word(word), from: start)
        }
    }

    private mutating func sign() throws(Flaw) {
        let start = index
        let single = "()[],;.".utf8
        if single.contains(bytes[index]) {
            index += 1
        } else if bytes[index] == UInt8(ascii: ":") {
            index += peek(1) == UInt8(ascii: ":") || peek(1) == UInt8(ascii: "=") ? 2 : 1
        } else if Self.isOperator(bytes[index]) {
            repeat { index += 1 } while peek().map(Self.isOperator) == true && !isAt("--") && !isAt("/*")
        } else {
            throw Flaw("a character that has no meaning in SQL", at: start)
        }
        add(.sign(text(start..<index)), from: start)
    }

    // MARK: What has an end of its own

    /// Comments nest.
    private mutating func skipComment() throws(Flaw) {
        let start = index
        var depth = 0
        repeat {
            if isAt("/*") {
                depth += 1
                index += 2
            } else if isAt("*/") {
                depth -= 1
                index += 2
            } else if index < bytes.count {
                index += 1
            } else {
                throw Flaw("a comment is not closed", at: start)
            }
        } while depth > 0
    }

    /// One with backslashes; nil where they stand before numbers.
    private mutating func escapedString() throws(Flaw) -> String? {
        let start = index
        var value: [UInt8]? = []
        index += 1
        while let byte = peek() {
            index += 1
            switch byte {
            case UInt8(ascii: "'") where peek() == UInt8(ascii: "'"):
                value?.append(byte)
                index += 1
            case UInt8(ascii: "'"):
                return value.map { String(decoding: $0, as: UTF8.self) }
            case UInt8(ascii: "\\"):
                guard let escaped = peek() else { break }
                index += 1
                switch escaped {
                case UInt8(ascii: "n"): value?.append(0x0A)
                case UInt8(ascii: "t"): value?.append(0x09)
                case UInt8(ascii: "r"): value?.append(0x0D)
                case UInt8(ascii: "b"): value?.append(0x08)
                case UInt8(ascii: "f"): value?.append(0x0C)
                case UInt8(ascii: "x"), UInt8(ascii: "u"), UInt8(ascii: "U"), UInt8(ascii: "0")...UInt8(ascii: "7"):
                    value = nil
                default: value?.append(escaped)
                }
            default: value?.append(byte)
            }
        }
        throw Flaw("a string is not closed", at: start)
    }

    /// What stands between two of `quote`, which is doubled where it is meant itself.
    private mutating func quoted(by quote: UInt8, _ unclosed: String) throws(Flaw) -> String {
        let start = index
        var value: [UInt8] = []
        index += 1
        while let byte = peek() {
            index += 1
            if byte == quote {
                guard peek() == quote else { return String(decoding: value, as: UTF8.self) }
                index += 1
            }
            value.append(byte)
        }
        throw Flaw(unclosed, at: start)
    }

    /// `$$` or `$tag$` where one begins here.
    private func dollarTag() -> [UInt8]? {
        var end = index + 1
        if end < bytes.count, Self.isDigit(bytes[end]) { return nil }
        while end < bytes.count, Self.continuesName(bytes[end]), bytes[end] != UInt8(ascii: "$") { end += 1 }
        guard end < bytes.count, bytes[end] == UInt8(ascii: "$") else { return nil }
        return Array(bytes[index...end])
    }

    private mutating func dollarQuoted(_ tag: [UInt8]) throws(Flaw) -> String {
        let start = index
        index += tag.count
        let from = index
        while index + tag.count <= bytes.count {
            if bytes[index] == tag[0], bytes[index..<index + tag.count].elementsEqual(tag) {
                defer { index += tag.count }
                return text(from..<index)
            }
            index += 1
        }
        throw Flaw("a dollar-quoted string is not closed", at: start)
    }

    private mutating func skipNumber() {
        while let byte = peek() {
            let isSigned = byte == UInt8(ascii: "+") || byte == UInt8(ascii: "-")
            if isSigned {
                let last = bytes[index - 1]
                guard last == UInt8(ascii: "e") || last == UInt8(ascii: "E"), peek(1).map(Self.isDigit) == true
                else { return }
            } else if byte == UInt8(ascii: ".") {
                // `1..2` is a range of PL/pgSQL.
                if peek(1) == UInt8(ascii: ".") { return }
            } else if !Self.continuesName(byte) {
                return
            }
            index += 1
        }
    }

    // MARK: Characters

    private static func isDigit(_ byte: UInt8) -> Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) }

    /// PostgreSQL takes every byte above ASCII for a letter.
    private static func startsName(_ byte: UInt8) -> Bool {
        (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte) || (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte)
            || byte == UInt8(ascii: "_") || byte >= 0x80
    }

    private static func continuesName(_ byte: UInt8) -> Bool {
        startsName(byte) || isDigit(byte) || byte == UInt8(ascii: "$")
    }

    private static func isOperator(_ byte: UInt8) -> Bool { "+-*/<>=~!@#%^&|`?".utf8.contains(byte) }
}

extension String {
    /// As PostgreSQL folds an unquoted name in UTF-8: letters of ASCII only.
    package var lowercasedASCII: String {
        String(
            decoding: utf8.map { (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains($0) ? $0 + 32 : $0 }, as: UTF8.self)
    }
}
