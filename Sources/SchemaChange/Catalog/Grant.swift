extension TableDescription {
    /// What a role may do with the table, or with one of its columns.
    public struct Grant: Codable, Hashable, Sendable {
        /// Nil stands for everybody.
        public var role: String?
        public var privilege: String
        public var isGrantable: Bool
        /// Where it is for one column only.
        public var column: String?

        /// The same on another table.
        func statement(on table: TableName, column: String?) -> String {
            let column = column.map { " (\($0.quotedIdentifier))" } ?? ""
            return "GRANT \(privilege)\(column) ON \(table.quoted) TO \(role?.quotedIdentifier ?? "PUBLIC")"
                + (isGrantable ? " WITH GRANT OPTION" : "")
        }
    }
}
