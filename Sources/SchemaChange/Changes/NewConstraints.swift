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

/// A UNIQUE constraint that a change asks for.
public struct NewUnique: Codable, Hashable, Sendable {
    public var name: String

    public init(name: String) {
        self.name = name
    }
}

/// A foreign key of one column that a change asks for.
public struct NewReference: Codable, Hashable, Sendable {
    public typealias Action = References.Action

    public var name: String
    public var table: String
    public var column: String
    public var onDelete: Action?
    public var onUpdate: Action?

    public init(name: String, table: String, column: String, onDelete: Action? = nil, onUpdate: Action? = nil) {
        self.name = name
        self.table = table
        self.column = column
        self.onDelete = onDelete
        self.onUpdate = onUpdate
    }
}
