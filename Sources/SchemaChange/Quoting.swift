extension String {
    /// As an SQL identifier: quoted always, so that reserved words, capitals and spaces need no thought.
    public var quotedIdentifier: String {
        "\"" + replacing("\"", with: "\"\"") + "\""
    }

    /// As an SQL string constant, right whatever `standard_conforming_strings` says.
    public var quotedLiteral: String {
        let doubled = replacing("'", with: "''")
        return contains("\\") ? "E'" + doubled.replacing("\\", with: "\\\\") + "'" : "'" + doubled + "'"
    }
}
