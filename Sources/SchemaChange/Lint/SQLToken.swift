/// One word, name, string, number or sign of SQL.
struct SQLToken: Hashable {
    enum Kind: Hashable {
        /// A keyword or an unquoted name; `text` is in lower case, as PostgreSQL folds it.
        case word
        /// A quoted name; `text` is what it names.
        case name
        /// A string constant; `text` is what stands between its quotes.
        case string
        case number
        /// A sign of punctuation, or an operator.
        case sign
    }

    var kind: Kind
    var text: String

    func isWord(_ word: String) -> Bool { kind == .word && text == word }
    func isSign(_ sign: String) -> Bool { kind == .sign && text == sign }
    /// What it names, if it may be a name.
    var identifier: String? { kind == .word || kind == .name ? text : nil }
}

/// The statements of an SQL text, as far as their tokens go:
/// <https://www.postgresql.org/docs/15/sql-syntax-lexical.html>. Comments are left out.
struct SQLScript {
    private(set) var statements: [[SQLToken]] = []
    /// What PostgreSQL would not read, such as a string that is not closed; what follows it is left out.
    private(set) var flaw: String?

    private let scalars: [Unicode.Scalar]
    private var index = 0
    private var statement: [SQLToken] = []
    /// Within the body of a function that is written as SQL: `BEGIN ATOMIC … END`.
    private var depth = 0

    init(_ text: String) {
        scalars = Array(text.unicodeScalars)
        while flaw == nil, index < scalars.count { advance() }
        if !statement.isEmpty { statements.append(statement) }
    }

    private func peek(_ offset: Int = 0) -> Unicode.Scalar? {
        index + offset < scalars.count ? scalars[index + offset] : nil
    }

    private func isAt(_ text: String) -> Bool {
        scalars[index...].starts(with: text.unicodeScalars)
    }

    private mutating func add(_ kind: SQLToken.Kind, _ text: String) {
        if kind == .sign, text == ";", depth == 0 {
            if !statement.isEmpty { statements.append(statement) }
            statement = []
            return
        }
        if kind == .word {
            switch text {
            case "atomic" where statement.last?.isWord("begin") == true: depth = 1
            case "case" where depth > 0: depth += 1
            case "end" where depth > 0: depth -= 1
            default: break
            }
        }
        statement.append(SQLToken(kind: kind, text: text))
    }

    /// Past one token, or one stretch of space or comment.
    private mutating func advance() {
        let scalar = scalars[index]
        if scalar.properties.isWhitespace {
            index += 1
        } else if isAt("--") {
            while let next = peek(), next != "\n" { index += 1 }
        } else if isAt("/*") {
            skipComment()
        } else if scalar == "'" {
            add(.string, quoted(by: "'", escapes: false))
        } else if scalar == "\"" {
            add(.name, quoted(by: "\"", escapes: false))
        } else if scalar == "$", let tag = dollarTag() {
            add(.string, dollarQuoted(tag))
        } else if Self.isDigit(scalar) || scalar == "." && peek(1).map(Self.isDigit) == true {
            let start = index
            while let next = peek(), Self.continuesName(next) || next == "." { index += 1 }
            add(.number, text(from: start))
        } else if Self.startsName(scalar) {
            word()
        } else if scalar == "\\" {
            flaw = "a command of psql is not SQL"
        } else {
            sign()
        }
    }

    private mutating func word() {
        let start = index
        while let next = peek(), Self.continuesName(next) { index += 1 }
        let word = text(from: start).lowercased()
        switch (word, peek()) {
        case ("e", "'"): add(.string, quoted(by: "'", escapes: true))
        case ("n", "'"), ("b", "'"), ("x", "'"): add(.string, quoted(by: "'", escapes: false))
        case ("u", "&") where peek(1) == "'" || peek(1) == "\"":
            index += 1
            add(peek() == "'" ? .string : .name, quoted(by: peek()!, escapes: false))
        default: add(.word, word)
        }
    }

    private mutating func sign() {
        let start = index
        index += 1
        let operators: Set<Unicode.Scalar> = [
            "+", "-", "*", "/", "<", ">", "=", "~", "!", "@", "#", "%", "^", "&", "|", "`", "?", ":",
        ]
        if operators.contains(scalars[start]) {
            while let next = peek(), operators.contains(next), !isAt("--"), !isAt("/*") { index += 1 }
        }
        add(.sign, text(from: start))
    }

    // MARK: What has an end of its own

    /// Comments nest.
    private mutating func skipComment() {
        var depth = 0
        repeat {
            guard index < scalars.count else { return flaw = "a comment is not closed" }
            if isAt("/*") {
                depth += 1
                index += 2
            } else if isAt("*/") {
                depth -= 1
                index += 2
            } else {
                index += 1
            }
        } while depth > 0
    }

    private mutating func quoted(by quote: Unicode.Scalar, escapes: Bool) -> String {
        var value = String.UnicodeScalarView()
        index += 1
        while let next = peek() {
            index += 1
            if escapes, next == "\\", let escaped = peek() {
                value.append(escaped)
                index += 1
            } else if next != quote {
                value.append(next)
            } else if peek() == quote {
                value.append(next)
                index += 1
            } else {
                return String(value)
            }
        }
        flaw = quote == "'" ? "a string is not closed" : "a quoted name is not closed"
        return String(value)
    }

    /// `$$` or `$tag$` where one begins here.
    private func dollarTag() -> [Unicode.Scalar]? {
        var end = index + 1
        guard end < scalars.count, !Self.isDigit(scalars[end]) else { return nil }
        while end < scalars.count, Self.continuesName(scalars[end]), scalars[end] != "$" { end += 1 }
        return end < scalars.count && scalars[end] == "$" ? Array(scalars[index...end]) : nil
    }

    private mutating func dollarQuoted(_ tag: [Unicode.Scalar]) -> String {
        index += tag.count
        let start = index
        while index < scalars.count {
            if scalars[index] == "$", scalars[index...].starts(with: tag) {
                defer { index += tag.count }
                return text(from: start)
            }
            index += 1
        }
        flaw = "a dollar-quoted string is not closed"
        return text(from: start)
    }

    // MARK: Characters

    private func text(from start: Int) -> String {
        var text = String.UnicodeScalarView()
        text.append(contentsOf: scalars[start..<index])
        return String(text)
    }

    private static func isDigit(_ scalar: Unicode.Scalar) -> Bool { ("0"..."9").contains(scalar) }

    /// PostgreSQL takes every character above ASCII for a letter.
    private static func startsName(_ scalar: Unicode.Scalar) -> Bool {
        ("a"..."z").contains(scalar) || ("A"..."Z").contains(scalar) || scalar == "_" || !scalar.isASCII
    }

    private static func continuesName(_ scalar: Unicode.Scalar) -> Bool {
        startsName(scalar) || isDigit(scalar) || scalar == "$"
    }
}
