/// A word, a name, a string, a sign of SQL, with the place where it stands.
package struct SQLLexeme: Hashable, Sendable {
    package enum Kind: Hashable, Sendable {
        /// A keyword or an unquoted name, in lower case as PostgreSQL folds it.
        case word(String)
        /// A quoted name, without its quotes.
        case name(String)
        /// A string, as the value that it stands for.
        case string(String)
        /// A string or name with characters that are written as numbers, which are not looked up here.
        case escaped
        /// A number, a bit string, a parameter: nothing that has to be looked into.
        case constant
        /// An operator, or one of `( ) [ ] , ; . :`.
        case sign(String)
    }

    package var kind: Kind
    /// In bytes of the text.
    package var range: Range<Int>

    package init(kind: Kind, range: Range<Int>) {
        self.kind = kind
        self.range = range
    }

    package var word: String? {
        if case .word(let word) = kind { word } else { nil }
    }

    /// What it names, if it is a name.
    package var identifier: String? {
        switch kind {
        case .word(let name), .name(let name): name
        default: nil
        }
    }

    package func isSign(_ sign: String) -> Bool { kind == .sign(sign) }
}

extension [SQLLexeme] {
    /// Split at the semicolons that end a statement: not those of strings, nor those of a function's own body.
    package var statements: [ArraySlice<SQLLexeme>] {
        var statements: [ArraySlice<SQLLexeme>] = []
        var start = startIndex
        var depth = 0
        for (index, lexeme) in enumerated() {
            switch lexeme.kind {
            case .word("atomic") where index > start && self[index - 1].word == "begin": depth = 1
            case .word("case") where depth > 0: depth += 1
            case .word("end") where depth > 0: depth -= 1
            case .sign(";") where depth == 0:
                if start < index { statements.append(self[start..<index]) }
                start = index + 1
            default: break
            }
        }
        return start < endIndex ? statements + [self[start...]] : statements
    }
}
