/// `name` as a quoted SQL identifier, whatever it contains: `my "table"` becomes `"my ""table"""`.
public func quoteIdentifier(_ name: String) -> String {
    "\"" + doubling("\"", in: name) + "\""
}

/// `text` as an SQL string constant that reads the same whatever `standard_conforming_strings` is: text with a backslash
/// becomes an `E''` constant with its backslashes doubled.
public func quoteLiteral(_ text: String) -> String {
    guard text.utf8.contains(UInt8(ascii: "\\")) else { return "'" + doubling("'", in: text) + "'" }
    return "E'" + doubling("'", in: doubling("\\", in: text)) + "'"
}

/// Works on scalars: as characters, a quote and a combining mark after it are one and would not be found.
private func doubling(_ scalar: Unicode.Scalar, in text: String) -> String {
    var result = String.UnicodeScalarView()
    for each in text.unicodeScalars {
        if each == scalar { result.append(each) }
        result.append(each)
    }
    return String(result)
}
