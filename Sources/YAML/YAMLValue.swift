/// A value with the place where it stands.
public struct YAMLValue: Sendable {
    public enum Content: Sendable {
        case null
        case bool(Bool)
        case int(Int64)
        case double(Double)
        case string(String)
        case sequence([YAMLValue])
        case mapping(YAMLMapping)
    }

    public var content: Content
    public var mark: YAMLMark

    public init(_ content: Content, mark: YAMLMark = YAMLMark(line: 1, column: 1)) {
        self.content = content
        self.mark = mark
    }

    /// The value under `key`, if this is a mapping that has it.
    public subscript(key: String) -> YAMLValue? {
        mapping?[key]
    }

    public var isNull: Bool {
        if case .null = content { true } else { false }
    }

    public var string: String? {
        if case .string(let value) = content { value } else { nil }
    }

    public var sequence: [YAMLValue]? {
        if case .sequence(let value) = content { value } else { nil }
    }

    public var mapping: YAMLMapping? {
        if case .mapping(let value) = content { value } else { nil }
    }

    /// What it is, for a message: `the string "5"`.
    var kind: String {
        switch content {
        case .null: "nothing"
        case .bool(let value): "the boolean \(value)"
        case .int(let value): "the integer \(value)"
        case .double(let value): "the number \(value)"
        case .string: "a string"
        case .sequence: "a list"
        case .mapping: "a mapping"
        }
    }
}
