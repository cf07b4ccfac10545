import SchemaChange

/// Reads a statement from its first token to its last.
struct TokenCursor {
    let source: SQLText
    private(set) var rest: ArraySlice<SQLToken>

    init(_ statement: SQLStatement) {
        source = statement.source
        rest = statement.tokens
    }

    init(_ source: SQLText, _ tokens: ArraySlice<SQLToken>) {
        self.source = source
        rest = tokens
    }

    var isAtEnd: Bool { rest.isEmpty }
    var offset: Int? { rest.first?.range.lowerBound }

    func refusal(_ reason: String) -> Refusal { Refusal(reason, at: offset) }

    /// What stands here, for a message.
    var here: String {
        rest.first.map { source.text(of: [$0]) } ?? "the end of the statement"
    }

    // MARK: Keywords and signs

    /// Whether these keywords come next.
    func isAt(_ words: String...) -> Bool { isAt(words) }

    private func isAt(_ words: [String]) -> Bool {
        rest.count >= words.count && zip(words, rest).allSatisfy { $0 == $1.word }
    }

    func isAt(anyOf words: Set<String>) -> Bool { rest.first?.word.map(words.contains) ?? false }

    func isAt(sign: String) -> Bool { rest.first?.isSign(sign) ?? false }

    /// Past these keywords, if they come next.
    mutating func accept(_ words: String...) -> Bool {
        guard isAt(words) else { return false }
        rest = rest.dropFirst(words.count)
        return true
    }

    mutating func accept(sign: String) -> Bool {
        guard isAt(sign: sign) else { return false }
        rest = rest.dropFirst()
        return true
    }

    mutating func expect(_ words: String...) throws(Refusal) {
        guard isAt(words) else {
            throw refusal("\(words.joined(separator: " ").uppercased()) was expected, not \(here)")
        }
        rest = rest.dropFirst(words.count)
    }

    mutating func expect(sign: String) throws(Refusal) {
        guard accept(sign: sign) else { throw refusal("\"\(sign)\" was expected, not \(here)") }
    }

    func expectEnd() throws(Refusal) {
        guard isAtEnd else { throw refusal("what begins with \(here) is not known here") }
    }

    // MARK: Names

    mutating func name() throws(Refusal) -> String {
        guard let name = rest.first?.identifier else { throw refusal("a name was expected, not \(here)") }
        rest = rest.dropFirst()
        return name
    }

    /// A name that may have a schema before it.
    mutating func qualifiedName() throws(Refusal) -> (schema: String?, name: String) {
        let first = try name()
        guard accept(sign: ".") else { return (nil, first) }
        return (first, try name())
    }

    mutating func names() throws(Refusal) -> [String] {
        try expect(sign: "(")
        var names: [String] = []
        repeat { names.append(try name()) } while accept(sign: ",")
        try expect(sign: ")")
        return names
    }

    mutating func string() throws(Refusal) -> String {
        guard case .string(let value) = rest.first?.kind else { throw refusal("a string was expected, not \(here)") }
        rest = rest.dropFirst()
        return value
    }

    // MARK: Stretches

    /// The tokens between parentheses, of which the first comes next.
    mutating func parenthesized() throws(Refusal) -> ArraySlice<SQLToken> {
        let open = offset
        try expect(sign: "(")
        var depth = 1
        for index in rest.indices {
            if rest[index].isSign("(") { depth += 1 }
            if rest[index].isSign(")") { depth -= 1 }
            if depth == 0 {
                defer { rest = rest[(index + 1)...] }
                return rest[..<index]
            }
        }
        throw Refusal("a parenthesis is not closed", at: open)
    }

    /// The text between parentheses.
    mutating func parenthesizedText() throws(Refusal) -> String { source.text(of: try parenthesized()) }

    /// The tokens before the first of `words`, or a comma, outside of parentheses; at least one.
    mutating func stretch(until words: Set<String> = []) throws(Refusal) -> ArraySlice<SQLToken> {
        var depth = 0
        var end = rest.endIndex
        for index in rest.indices {
            let token = rest[index]
            if token.isSign("(") || token.isSign("[") { depth += 1 }
            if token.isSign(")") || token.isSign("]") { depth -= 1 }
            guard depth <= 0 else { continue }
            if depth < 0 || token.isSign(",") || index > rest.startIndex && token.word.map(words.contains) == true {
                end = index
                break
            }
        }
        guard end > rest.startIndex else { throw refusal("an expression was expected, not \(here)") }
        defer { rest = rest[end...] }
        return rest[..<end]
    }

    mutating func text(until words: Set<String> = []) throws(Refusal) -> String {
        source.text(of: try stretch(until: words))
    }

    /// The parts of a list, split at its commas.
    static func split(_ tokens: ArraySlice<SQLToken>) -> [ArraySlice<SQLToken>] {
        var parts: [ArraySlice<SQLToken>] = []
        var depth = 0
        var start = tokens.startIndex
        for index in tokens.indices {
            if tokens[index].isSign("(") || tokens[index].isSign("[") { depth += 1 }
            if tokens[index].isSign(")") || tokens[index].isSign("]") { depth -= 1 }
            if depth == 0, tokens[index].isSign(",") {
                parts.append(tokens[start..<index])
                start = index + 1
            }
        }
        return parts + [tokens[start...]]
    }
}
