/// Looks at an SQL expression as text: whether it can stand between parentheses in a larger statement and stay one
/// expression. What it means, PostgreSQL is asked.
enum Expression {
    /// Nil when the text is sound, else what is wrong with it.
    static func flaw(in text: String) -> String? {
        guard text.contains(where: { !$0.isWhitespace }) else { return "the expression is empty" }
        guard !text.unicodeScalars.contains("\0") else { return "the expression contains a NUL" }
        var scanner = Scanner(text)
        return scanner.flaw()
    }

    /// Follows PostgreSQL's lexical structure as far as it decides where strings, quoted names and comments end:
    /// <https://www.postgresql.org/docs/15/sql-syntax-lexical.html>.
    private struct Scanner {
        /// Scalars, as PostgreSQL reads them: as characters, a quote and a combining mark after it would be one.
        private let characters: [Unicode.Scalar]
        private var index = 0
        private var depth = 0

        init(_ text: String) {
            characters = Array(text.unicodeScalars)
        }

        mutating func flaw() -> String? {
            while let character = peek() {
                switch character {
                case "(", "[":
                    depth += 1
                    index += 1
                case ")", "]":
                    depth -= 1
                    index += 1
                    if depth < 0 { return "a parenthesis is closed that was never opened" }
                case ";":
                    return "it contains a semicolon; give one expression"
                case "'":
                    let escapes =
                        index > 0 && (characters[index - 1] == "e" || characters[index - 1] == "E")
                        && !isWord(at: index - 2)
                    if !skip(quote: "'", escapes: escapes) { return "a string is not closed" }
                case "\"":
                    if !skip(quote: "\"", escapes: false) { return "a quoted name is not closed" }
                case "-" where peek(1) == "-", "/" where peek(1) == "*":
                    return "it contains a comment; leave it out"
                case "$" where !isWord(at: index - 1) && (peek(1) == "$" || isNameStart(at: index + 1)):
                    return "it contains a dollar-quoted string; use a plain one"
                default:
                    index += 1
                }
            }
            return depth == 0 ? nil : "a parenthesis is not closed"
        }

        private func peek(_ offset: Int = 0) -> Unicode.Scalar? {
            index + offset < characters.count ? characters[index + offset] : nil
        }

        private func isWord(at position: Int) -> Bool {
            guard characters.indices.contains(position) else { return false }
            return isNameStart(at: position) || ("0"..."9").contains(characters[position])
                || characters[position] == "$"
        }

        /// PostgreSQL takes every byte above ASCII for a letter.
        private func isNameStart(at position: Int) -> Bool {
            guard characters.indices.contains(position) else { return false }
            let scalar = characters[position]
            return scalar.properties.isAlphabetic || scalar == "_" || !scalar.isASCII
        }

        /// Past the closing quote; false when there is none.
        private mutating func skip(quote: Unicode.Scalar, escapes: Bool) -> Bool {
            index += 1
            while let character = peek() {
                if escapes, character == "\\" {
                    index += 2
                } else if character != quote {
                    index += 1
                } else if peek(1) == quote {
                    index += 2
                } else {
                    index += 1
                    return true
                }
            }
            return false
        }
    }
}
