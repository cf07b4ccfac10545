import SchemaChange

/// One statement of a text.
struct SQLStatement: Sendable {
    let source: SQLText
    let tokens: ArraySlice<SQLToken>

    /// Where it begins, in bytes.
    var offset: Int { tokens.first?.range.lowerBound ?? 0 }
    var text: String { source.text(of: tokens) }
}

extension SQLText {
    var statements: [SQLStatement] { tokens.statements.map { SQLStatement(source: self, tokens: $0) } }
}
