/// What PostgreSQL calls a column of an index that is an expression: after the function, the column, or the type of a cast.
///
/// As `FigureColname` of `src/backend/parser/parse_target.c` does:
/// <https://github.com/postgres/postgres/blob/REL_15_STABLE/src/backend/parser/parse_target.c>.
struct ExpressionName {
    private let tokens: [SQLToken]
    private var index = 0

    /// The name, and whether it is no more than a guess, as that of a type is: a better one is taken instead.
    private typealias Found = (name: String, isGuess: Bool)

    /// Nil where PostgreSQL takes `expr`.
    static func of(_ expression: String) -> String? {
        guard let statement = SQLScript(expression).statements.first else { return nil }
        return find(in: statement)?.name
    }

    private static func find(in tokens: some Collection<SQLToken>) -> Found? {
        if let function = function(of: Array(tokens)) { return (function, false) }
        var reader = ExpressionName(tokens: Array(tokens))
        let found = reader.primary()
        return reader.suffixes(of: found)
    }

    private init(tokens: [SQLToken]) {
        self.tokens = tokens
    }

    private var next: SQLToken? { index < tokens.count ? tokens[index] : nil }

    private mutating func accept(_ words: String...) -> Bool {
        guard index + words.count <= tokens.count,
            zip(tokens[index...], words).allSatisfy({ $0.isWord($1) || $0.isSign($1) })
        else { return false }
        index += words.count
        return true
    }

    /// What stands in the parentheses that begin here, and past them.
    private mutating func group() -> ArraySlice<SQLToken> {
        let start = index + 1
        var depth = 0
        while let token = next {
            index += 1
            if token.isSign("(") || token.isSign("[") { depth += 1 }
            if token.isSign(")") || token.isSign("]") { depth -= 1 }
            if depth == 0 { return tokens[start..<max(start, index - 1)] }
        }
        return tokens[min(start, tokens.count)...]
    }

    /// Where a word or sign stands that is in no parentheses.
    private static func place(of word: String, in tokens: ArraySlice<SQLToken>) -> Int? {
        var depth = 0
        for (index, token) in zip(tokens.indices, tokens) {
            if token.isSign("(") || token.isSign("[") || token.isWord("case") { depth += 1 }
            if token.isSign(")") || token.isSign("]") || token.isWord("end") { depth -= 1 }
            if depth == 0, token.isWord(word) || token.isSign(word) { return index }
        }
        return nil
    }

    /// Of a predicate that is a call of a function: only AND, OR and NOT bind less than it does.
    private static func function(of tokens: [SQLToken]) -> String? {
        func has(_ word: String) -> Bool { place(of: word, in: tokens[...]) != nil }
        guard !["and", "or", "not"].contains(where: has) else { return nil }
        if has("overlaps") { return "overlaps" }
        guard let last = tokens.last, last.isWord("normalized"), let place = place(of: "is", in: tokens[...]) else {
            return nil
        }
        let form = tokens[(place + 1)...].dropLast()
        return form.count <= 1 ? "is_normalized" : nil
    }

    // MARK: What it begins with

    private mutating func primary() -> Found? {
        guard let first = next else { return nil }
        if first.isSign("(") {
            let inner = group()
            return Self.place(of: ",", in: inner) == nil ? Self.find(in: inner) : ("row", false)
        }
        guard first.identifier != nil else {
            index += 1
            return nil
        }
        if first.isWord("case") { return choice() }
        if ["true", "false", "null", "not"].contains(where: first.isWord) {
            index += 1
            return nil
        }
        if accept("array", "[") {
            index -= 1
            _ = group()
            return ("array", false)
        }
        let start = index
        guard let name = path() else { return nil }
        if next?.isSign("(") == true {
            let given = group()
            if tokens[start].kind == .word {
                if name == "cast" { return conversion(given) }
                if name == "trim" { return (Self.trimming(given), false) }
            }
            return (name, false)
        }
        if next?.kind == .string {
            // A constant: `date '2026-01-01'`.
            index = start
            let type = typeName()
            index += 1
            return type.map { ($0, true) }
        }
        return (name, false)
    }

    /// The last of names with points between.
    private mutating func path() -> String? {
        guard var name = next?.identifier else { return nil }
        index += 1
        while accept("."), let part = next?.identifier {
            name = part
            index += 1
        }
        return name
    }

    private mutating func choice() -> Found? {
        let start = index
        var depth = 0
        repeat {
            if next?.isWord("case") == true { depth += 1 }
            if next?.isWord("end") == true { depth -= 1 }
            index += 1
        } while depth > 0 && next != nil
        let inner = tokens[(start + 1)..<max(start + 1, index - 1)]
        if let place = Self.place(of: "else", in: inner), let found = Self.find(in: inner[(place + 1)...]),
            !found.isGuess
        {
            return found
        }
        return ("case", true)
    }

    private func conversion(_ given: ArraySlice<SQLToken>) -> Found? {
        guard let place = Self.place(of: "as", in: given) else { return nil }
        if let found = Self.find(in: given[..<place]), !found.isGuess { return found }
        var type = ExpressionName(tokens: Array(given[(place + 1)...]))
        return type.typeName().map { ($0, true) }
    }

    private static func trimming(_ given: ArraySlice<SQLToken>) -> String {
        switch given.first?.text {
        case "leading": "ltrim"
        case "trailing": "rtrim"
        default: "btrim"
        }
    }

    // MARK: What follows

    /// Nil for an operation: it has no name.
    private mutating func suffixes(of first: Found?) -> Found? {
        var found = first
        while let token = next {
            if accept("::") {
                let type = typeName()
                if found?.isGuess ?? true { found = type.map { ($0, true) } }
            } else if token.isSign("[") {
                _ = group()
            } else if accept(".") {
                found = path().map { ($0, false) }
            } else if accept("collate") {
                _ = path()
            } else if accept("at", "time", "zone") {
                _ = primary()
                found = ("timezone", false)
            } else {
                return nil
            }
        }
        return found
    }

    /// As PostgreSQL calls the type itself: `int8` for `bigint`.
    private mutating func typeName() -> String? {
        let isQuoted = next?.kind == .name
        if !isQuoted { _ = accept("national") }
        guard var name = path() else { return nil }
        if !isQuoted {
            if accept("precision") { name = "double precision" }
            if accept("varying") { name += " varying" }
        }
        if name == "interval" {
            while Self.fields.contains(where: { next?.isWord($0) == true }) { index += 1 }
        }
        if next?.isSign("(") == true { _ = group() }
        if accept("with", "time", "zone") { name += "tz" }
        _ = accept("without", "time", "zone")
        while next?.isSign("[") == true { _ = group() }
        return isQuoted ? name : Self.systemNames[name] ?? name
    }

    /// Of an interval, between which `to` stands.
    private static let fields = ["year", "month", "day", "hour", "minute", "second", "to"]

    private static let systemNames = [
        "int": "int4", "integer": "int4", "smallint": "int2", "bigint": "int8", "real": "float4", "float": "float8",
        "double precision": "float8", "decimal": "numeric", "dec": "numeric", "boolean": "bool", "character": "bpchar",
        "char": "bpchar", "nchar": "bpchar", "character varying": "varchar", "char varying": "varchar",
        "nchar varying": "varchar",
        "bit varying": "varbit",
    ]
}
