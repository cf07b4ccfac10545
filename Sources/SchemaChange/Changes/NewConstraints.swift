/// A CHECK that a change asks for.
public struct NewCheck: Codable, Hashable, Sendable {
    public var name: String
    /// An SQL condition over the row's columns.
    public var constraint: String

    public init(name: String, constraint: String) {
        self.name = name
        self.constraint = constraint
    }
}

/// A foreign key of one column that a change asks for.
struct NewReference: Hashable, Sendable {
    let name: String
    let table: String
    let column: String
    /// What follows: ` ON DELETE CASCADE DEFERRABLE`.
    let options: String
}

/// What the constraints of a column are called, where that is not left to PostgreSQL's way: `orders_state_check`.
public struct ConstraintNames: Codable, Hashable, Sendable {
    public var check: String?
    public var unique: String?
    public var references: String?

    var all: [String] { [check, unique, references].compactMap(\.self) }

    public init(check: String? = nil, unique: String? = nil, references: String? = nil) {
        self.check = check
        self.unique = unique
        self.references = references
    }
}

/// The constraints that a change gives one column, as the manifest has them wherever it names a column.
struct ColumnConstraints {
    let table: String
    let column: String
    var check: String?
    var unique: Bool?
    var references: References?
    var names: ConstraintNames?

    /// - Parameter description: the table as it is, in which a name may be taken; nil where that does not matter.
    func all(in description: TableDescription? = nil, token: String = "") -> [NewConstraint] {
        func name(_ given: String?, _ suffix: String) -> String {
            if let given { return given }
            let name = [table, column, suffix].asObjectName
            return description?.isFree(constraint: name) != false
                ? name : [table, column, "\(token)_\(suffix)"].asObjectName
        }
        var constraints: [NewConstraint] = []
        if let check { constraints.append(NewConstraint(name: name(names?.check, "check"), check: check)) }
        if unique == true {
            constraints.append(NewConstraint(name: name(names?.unique, "key"), unique: .init(columns: [column])))
        }
        if let references {
            constraints.append(
                NewConstraint(
                    name: name(names?.references, "fkey"),
                    foreignKey: .init(columns: [column], references: references)))
        }
        return constraints
    }

    func flaws(at path: String) -> [PlanError] {
        var flaws: [PlanError] = []
        if let columns = references?.columns, columns.count != 1 {
            flaws.append(
                PlanError(.invalidChange, at: "\(path).references.columns", "a column refers to one column"))
        }
        for (field, name, isThere) in [
            ("check", names?.check, check != nil), ("unique", names?.unique, unique == true),
            ("references", names?.references, references != nil),
        ] where name != nil && !isThere {
            flaws.append(
                PlanError(
                    .invalidChange, at: "\(path).constraintNames.\(field)", "there is no \(field) that it would name"))
        }
        return flaws
    }
}
