/// Why there is no plan: what is wrong, where in the changes, and what to do.
public struct PlanError: Error, Hashable, Sendable, CustomStringConvertible {
    /// New cases may come.
    public struct Code: RawRepresentable, Hashable, Sendable {
        public let rawValue: String

        public init(rawValue: String) {
            self.rawValue = rawValue
        }

        /// The role may not do what the plan would.
        public static let missingPrivilege = Code(rawValue: "MissingPrivilege")
        public static let unknownTable = Code(rawValue: "UnknownTable")
        public static let unknownColumn = Code(rawValue: "UnknownColumn")
        public static let nameTaken = Code(rawValue: "NameTaken")
        /// It cannot be done without stopping everybody for long.
        public static let wouldLock = Code(rawValue: "WouldLock")
        public static let columnExists = Code(rawValue: "ColumnExists")
        public static let noUsableKey = Code(rawValue: "NoUsableKey")
        public static let unsupportedTable = Code(rawValue: "UnsupportedTable")
        public static let rowSecurity = Code(rawValue: "RowSecurity")
        public static let dependents = Code(rawValue: "Dependents")
        public static let invalidExpression = Code(rawValue: "InvalidExpression")
        public static let invalidChange = Code(rawValue: "InvalidChange")
    }

    public let code: Code
    /// Where: `changes[0].replaceColumns.forward.first_name`.
    public let path: String
    public let message: String

    public init(_ code: Code, at path: String, _ message: String) {
        self.code = code
        self.path = path
        self.message = message
    }

    public var description: String {
        "\(path): \(message)"
    }
}
