extension String {
    /// As an SQL identifier: quoted always, so that reserved words, capitals and spaces need no thought.
    public var quotedIdentifier: String {
        "\"" + doubling("\"") + "\""
    }

    /// As an SQL string constant, right whatever `standard_conforming_strings` says.
    public var quotedLiteral: String {
        guard unicodeScalars.contains("\\") else { return "'" + doubling("'") + "'" }
        return "E'" + doubling("\\").doubling("'") + "'"
    }

    /// Works on scalars: as characters, a quote and a combining mark after it are one and would not be found.
    private func doubling(_ scalar: Unicode.Scalar) -> String {
        var result = UnicodeScalarView()
        for each in unicodeScalars {
            if each == scalar { result.append(each) }
            result.append(each)
        }
        return String(result)
    }
}
