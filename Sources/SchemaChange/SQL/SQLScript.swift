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

extension SQLToken {
    fileprivate init(_ lexeme: SQLLexeme, in bytes: [UInt8]) {
        switch lexeme.kind {
        case .word(let word): self.init(kind: .word, text: word)
        case .name(let name): self.init(kind: .name, text: name)
        case .string(let value): self.init(kind: .string, text: value)
        case .escaped: self.init(kind: .string, text: "")
        case .constant: self.init(kind: .number, text: String(decoding: bytes[lexeme.range], as: UTF8.self))
        case .sign(let sign): self.init(kind: .sign, text: sign)
        }
    }
}

/// The statements of an SQL text, as far as their tokens go.
struct SQLScript {
    let statements: [[SQLToken]]
    /// What PostgreSQL would not read, such as a string that is not closed; what follows it is left out.
    let flaw: String?

    init(_ text: String) {
        let bytes = Array(text.utf8)
        let (lexemes, flaw) = SQLLexer.read(bytes)
        statements = lexemes.statements.map { $0.map { SQLToken($0, in: bytes) } }
        self.flaw = flaw?.reason
    }
}
