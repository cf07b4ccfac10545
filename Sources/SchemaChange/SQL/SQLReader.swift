/// Reads the tokens of one statement from left to right.
struct SQLReader {
    let tokens: ArraySlice<SQLToken>
    private(set) var index: Int

    init(_ tokens: some RandomAccessCollection<SQLToken>) {
        self.tokens = Array(tokens)[...]
        index = self.tokens.startIndex
    }

    var isAtEnd: Bool { index >= tokens.endIndex }
    var next: SQLToken? { isAtEnd ? nil : tokens[index] }
    /// What has not been read.
    var rest: ArraySlice<SQLToken> { tokens[index...] }

    /// Whether these words come next.
    func isAt(_ words: String) -> Bool {
        let words = words.split(separator: " ")
        return rest.count >= words.count && zip(rest, words).allSatisfy { $0.isWord(String($1)) }
    }

    /// Past these words, if they come next.
    mutating func accept(_ words: String) -> Bool {
        guard isAt(words) else { return false }
        index += words.split(separator: " ").count
        return true
    }

    mutating func accept(sign: String) -> Bool {
        guard next?.isSign(sign) == true else { return false }
        index += 1
        return true
    }

    mutating func skip() { index = min(index + 1, tokens.endIndex) }

    /// A name, with its schema if it has one: `shop.customers`.
    mutating func name() -> String? {
        guard let first = next?.identifier else { return nil }
        index += 1
        var name = first
        while next?.isSign(".") == true, index + 1 < tokens.endIndex, let part = tokens[index + 1].identifier {
            name += "." + part
            index += 2
        }
        return name
    }

    /// Names that commas separate.
    mutating func names() -> [String] {
        var names: [String] = []
        repeat {
            _ = accept("only")
            guard let name = name() else { break }
            names.append(name)
            _ = accept(sign: "*")
        } while accept(sign: ",")
        return names
    }

    /// What is left, cut at the commas that stand outside of parentheses.
    var clauses: [SQLReader] {
        var clauses: [SQLReader] = []
        var start = index
        var depth = 0
        for position in index..<tokens.endIndex {
            if tokens[position].isSign("(") || tokens[position].isSign("[") { depth += 1 }
            if tokens[position].isSign(")") || tokens[position].isSign("]") { depth -= 1 }
            if depth == 0, tokens[position].isSign(",") {
                clauses.append(SQLReader(tokens[start..<position]))
                start = position + 1
            }
        }
        return clauses + [SQLReader(tokens[start...])]
    }

    /// What stands in the parentheses that open next, and past them; nil where none do.
    mutating func parenthesized() -> SQLReader? {
        guard next?.isSign("(") == true else { return nil }
        let start = index + 1
        var depth = 0
        while let token = next {
            index += 1
            if token.isSign("(") { depth += 1 }
            if token.isSign(")") { depth -= 1 }
            if depth == 0 { return SQLReader(tokens[start..<index - 1]) }
        }
        return SQLReader(tokens[start...])
    }

    /// Whether these words follow each other somewhere in what is left.
    func contains(_ words: String) -> Bool {
        var reader = self
        while !reader.isAtEnd {
            if reader.isAt(words) { return true }
            reader.skip()
        }
        return false
    }

    /// The same, outside of parentheses.
    func containsOutside(_ words: String) -> Bool {
        var reader = self
        while !reader.isAtEnd {
            if reader.isAt(words) { return true }
            if reader.parenthesized() == nil { reader.skip() }
        }
        return false
    }
}
