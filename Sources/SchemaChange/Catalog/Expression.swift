/// Looks at an SQL expression as text: whether it can stand between parentheses in a larger statement and stay one
/// expression. What it means, PostgreSQL is asked.
enum Expression {
    /// Nil when the text is sound, else what is wrong with it.
    static func flaw(in text: String) -> String? {
        guard text.contains(where: { !$0.isWhitespace }) else { return "the expression is empty" }
        guard !text.unicodeScalars.contains("\0") else { return "the expression contains a NUL" }
        let bytes = Array(text.utf8)
        let (lexemes, flaw) = SQLLexer.read(bytes)
        var depth = 0
        var end = 0
        for lexeme in lexemes {
            if hasComment(bytes[end..<lexeme.range.lowerBound]) { return comment }
            end = lexeme.range.upperBound
            switch lexeme.kind {
            case .sign("("), .sign("["):
                depth += 1
            case .sign(")"), .sign("]"):
                depth -= 1
                if depth < 0 { return "a parenthesis is closed that was never opened" }
            case .sign(";"):
                return "it contains a semicolon; give one expression"
            case .string where bytes[lexeme.range.lowerBound] == UInt8(ascii: "$"):
                return "it contains a dollar-quoted string; use a plain one"
            default:
                break
            }
        }
        if hasComment(bytes[end..<(flaw?.offset ?? bytes.count)]) { return comment }
        if let flaw { return bytes[flaw.offset...].starts(with: "/*".utf8) ? comment : flaw.reason }
        return depth == 0 ? nil : "a parenthesis is not closed"
    }

    private static let comment = "it contains a comment; leave it out"

    /// Between two lexemes is nothing but space and comments.
    private static func hasComment(_ gap: ArraySlice<UInt8>) -> Bool {
        gap.contains { $0 == UInt8(ascii: "-") || $0 == UInt8(ascii: "/") }
    }
}
