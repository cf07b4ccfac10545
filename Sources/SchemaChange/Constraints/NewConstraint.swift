/// A constraint with a name of its own: exactly one of its kinds.
public struct NewConstraint: Codable, Hashable, Sendable {
    public struct ForeignKey: Codable, Hashable, Sendable {
        public var columns: [String]
        public var references: References

        public init(columns: [String], references: References) {
            self.columns = columns
            self.references = references
        }
    }

    public struct Key: Codable, Hashable, Sendable {
        public var columns: [String]
        public var deferrable: References.Deferral?

        public init(columns: [String], deferrable: References.Deferral? = nil) {
            self.columns = columns
            self.deferrable = deferrable
        }
    }

    /// No two rows for which all of the operators are true.
    public struct Exclusion: Codable, Hashable, Sendable {
        public struct Element: Codable, Hashable, Sendable {
            public var column: String?
            public var expression: String?
            /// `=`, `&&` and the like.
            public var with: String

            public init(column: String? = nil, expression: String? = nil, with: String) {
                self.column = column
                self.expression = expression
                self.with = with
            }
        }

        /// The index method; `gist` unless it is given.
        public var method: String?
        public var elements: [Element]
        /// An SQL condition: only rows of which it is true are looked at.
        public var `where`: String?
        public var deferrable: References.Deferral?

        public init(
            method: String? = nil, elements: [Element], where: String? = nil, deferrable: References.Deferral? = nil
        ) {
            self.method = method
            self.elements = elements
            self.where = `where`
            self.deferrable = deferrable
        }
    }

    public struct NotNullColumn: Codable, Hashable, Sendable {
        public var column: String

        public init(column: String) {
            self.column = column
        }
    }

    public var name: String?
    /// An SQL condition that no row may break; NULL does not break it.
    public var check: String?
    public var foreignKey: ForeignKey?
    public var unique: Key?
    public var exclusion: Exclusion?
    public var primaryKey: Key?
    public var notNull: NotNullColumn?

    public init(
        name: String? = nil, check: String? = nil, foreignKey: ForeignKey? = nil, unique: Key? = nil,
        exclusion: Exclusion? = nil, primaryKey: Key? = nil, notNull: NotNullColumn? = nil
    ) {
        self.name = name
        self.check = check
        self.foreignKey = foreignKey
        self.unique = unique
        self.exclusion = exclusion
        self.primaryKey = primaryKey
        self.notNull = notNull
    }

    /// The columns that it names outside of expressions.
    var columns: [String] {
        let elements = exclusion?.elements.compactMap(\.column) ?? []
        return (foreignKey?.columns ?? []) + (unique?.columns ?? []) + (primaryKey?.columns ?? [])
            + (notNull.map { [$0.column] } ?? []) + elements
    }

    func flaws(at path: String) -> [PlanError] {
        var flaws: [PlanError] = []
        func flaw(_ field: String, _ message: String, _ code: PlanError.Code = .invalidChange) {
            flaws.append(PlanError(code, at: path + field, message))
        }
        let kinds = [
            check != nil, foreignKey != nil, unique != nil, exclusion != nil, primaryKey != nil, notNull != nil,
        ]
        if kinds.count(where: { $0 }) != 1 {
            flaw("", "it is exactly one of check, foreignKey, unique, exclusion, primaryKey, notNull")
        }
        if let name {
            if let wrong = name.flawAsName { flaw(".name", wrong) }
        } else if notNull == nil {
            flaw(".name", "it has none; give it one, by which it can be undone")
        }
        if let check, let wrong = Expression.flaw(in: check) { flaw(".check", wrong, .invalidExpression) }
        if let key = foreignKey {
            if key.columns.isEmpty { flaw(".foreignKey.columns", "name at least one column") }
            if let other = key.references.columns, other.count != key.columns.count {
                flaw(".foreignKey.references.columns", "they must be as many as the foreign key's own columns")
            }
        }
        for (field, key) in [("unique", unique), ("primaryKey", primaryKey)] where key?.columns.isEmpty == true {
            flaw(".\(field).columns", "name at least one column")
        }
        if let exclusion {
            if exclusion.elements.isEmpty { flaw(".exclusion.elements", "name at least one") }
            for (index, element) in exclusion.elements.enumerated() {
                let place = ".exclusion.elements[\(index)]"
                if (element.column == nil) == (element.expression == nil) {
                    flaw(place, "give column or expression, one of both")
                }
                if let wrong = element.expression.flatMap(Expression.flaw) {
                    flaw("\(place).expression", wrong, .invalidExpression)
                }
                if element.with.isEmpty || !element.with.allSatisfy("+-*/<>=~!@#%^&|`?".contains) {
                    flaw("\(place).with", "\"\(element.with)\" is not an operator, such as = or &&")
                }
            }
            if let wrong = exclusion.where.flatMap(Expression.flaw) {
                flaw(".exclusion.where", wrong, .invalidExpression)
            }
        }
        return flaws
    }

    /// What stands after the name in CREATE TABLE and ADD CONSTRAINT. `referred` is the quoted table of a foreign key.
    ///
    /// Not for `notNull`, which is no constraint of the table.
    func clause(referred: String?) -> String {
        if let check { return "CHECK (\(check))" }
        if let key = foreignKey {
            return "FOREIGN KEY (\(key.columns.quotedList)) \(key.references.clause(referred!))"
        }
        if let unique { return "UNIQUE (\(unique.columns.quotedList))" + (unique.deferrable?.sql ?? "") }
        if let key = primaryKey { return "PRIMARY KEY (\(key.columns.quotedList))" + (key.deferrable?.sql ?? "") }
        guard let exclusion else { preconditionFailure("a constraint of no kind has flaws, and is never rendered") }
        let elements = exclusion.elements.map {
            "\($0.column?.quotedIdentifier ?? "(\($0.expression!))") WITH \($0.with)"
        }
        return "EXCLUDE USING \((exclusion.method ?? "gist").quotedIdentifier) (\(elements.joined(separator: ", ")))"
            + (exclusion.where.map { " WHERE (\($0))" } ?? "") + (exclusion.deferrable?.sql ?? "")
    }
}

extension String {
    /// Why it cannot be a new name in PostgreSQL; nil when it can.
    var flawAsName: String? {
        if isEmpty { return "a name has at least one character" }
        if utf8.count > 63 { return "\"\(self)\" is longer than the 63 bytes of a PostgreSQL name" }
        if unicodeScalars.contains("\0") { return "a name holds no NUL" }
        if hasPrefix("sluice_") { return "names that begin with sluice_ are for what is made here; choose another" }
        return nil
    }

    /// The same of a column.
    var flawAsColumnName: String? {
        if let flawAsName { return flawAsName }
        guard Self.systemColumns.contains(self) else { return nil }
        return "\"\(self)\" is a column that PostgreSQL itself gives every table; choose another name"
    }

    /// <https://www.postgresql.org/docs/15/ddl-system-columns.html>
    private static let systemColumns: Set = ["tableoid", "xmin", "cmin", "xmax", "cmax", "ctid"]
}
