/// One statement of a text.
struct SQLStatement: Sendable {
    let source: SQLText
    let tokens: ArraySlice<SQLToken>

    /// Where it begins, in bytes.
    var offset: Int { tokens.first?.range.lowerBound ?? 0 }
    var text: String { source.text(of: tokens) }
}

extension SQLText {
    /// Split at the semicolons that end a statement: not those of strings, nor those of a function's own body.
    var statements: [SQLStatement] {
        var statements: [SQLStatement] = []
        var start = tokens.startIndex
        var depth = 0
        for (index, token) in tokens.enumerated() {
            switch token.kind {
            case .word("atomic") where index > start && tokens[index - 1].word == "begin": depth = 1
            case .word("case") where depth > 0: depth += 1
            case .word("end") where depth > 0: depth -= 1
            case .sign(";") where depth == 0:
                if start < index { statements.append(SQLStatement(source: self, tokens: tokens[start..<index])) }
                start = index + 1
            default: break
            }
        }
        if start < tokens.endIndex { statements.append(SQLStatement(source: self, tokens: tokens[start...])) }
        return statements
    }
}
