/// What is wrong with a text, or with what it says, and where.
public struct YAMLError: Error, Hashable, Sendable, CustomStringConvertible {
    public struct Code: Hashable, Sendable {
        private enum Value: Hashable {
            case syntax, duplicateKey, tooLarge, wrongType, missingKey, unknownKey, badValue
        }
        private let value: Value

        /// The text is not YAML, or uses a part of it that is not supported.
        public static let syntax = Code(value: .syntax)
        /// A mapping names a key twice.
        public static let duplicateKey = Code(value: .duplicateKey)
        /// Aliases or nesting go beyond what is read.
        public static let tooLarge = Code(value: .tooLarge)
        /// A value is of another type than the one asked for.
        public static let wrongType = Code(value: .wrongType)
        /// A key that must be there is not.
        public static let missingKey = Code(value: .missingKey)
        /// A key that nothing reads.
        public static let unknownKey = Code(value: .unknownKey)
        /// The type that was decoded refused the value.
        public static let badValue = Code(value: .badValue)
    }

    public var code: Code
    public var message: String
    /// The keys that lead to the value, such as `spec.changes[0].addColumn`; empty at the top.
    public var path: String
    public var mark: YAMLMark?

    public init(_ code: Code, _ message: String, path: String = "", mark: YAMLMark? = nil) {
        self.code = code
        self.message = message
        self.path = path
        self.mark = mark
    }

    public var description: String {
        var text = message
        if !path.isEmpty { text = "\(path): \(text)" }
        if let mark { text += " (\(mark))" }
        return text
    }
}
