/// A value as the standard library's `Decoder`.
struct ValueDecoder: Decoder {
    let value: YAMLValue
    let codingPath: [any CodingKey]
    let log: ReadLog

    var userInfo: [CodingUserInfoKey: Any] { [:] }

    func container<Key: CodingKey>(keyedBy type: Key.Type) throws -> KeyedDecodingContainer<Key> {
        guard let mapping = value.mapping else { throw mismatch("a mapping") }
        let path = codingPath.yamlPath
        log.opened(mapping, at: path)
        return KeyedDecodingContainer(MappingContainer<Key>(decoder: self, mapping: mapping, path: path))
    }

    func unkeyedContainer() throws -> any UnkeyedDecodingContainer {
        guard let sequence = value.sequence else { throw mismatch("a list") }
        return SequenceContainer(decoder: self, sequence: sequence)
    }

    func singleValueContainer() throws -> any SingleValueDecodingContainer {
        ScalarContainer(decoder: self)
    }

    func nested(_ value: YAMLValue, _ key: any CodingKey) -> ValueDecoder {
        ValueDecoder(value: value, codingPath: codingPath + [key], log: log)
    }

    func mismatch(_ expected: String) -> YAMLError {
        var hint = ""
        if expected == "a string", value.sequence == nil, value.mapping == nil { hint = ": quote it" }
        return YAMLError(
            .wrongType, "expected \(expected), found \(value.kind)\(hint)", path: codingPath.yamlPath, mark: value.mark)
    }

    /// Scalars directly, everything else by its own `init(from:)`.
    func unwrap<T: Decodable>(_ type: T.Type) throws -> T {
        switch type {
        case is Bool.Type: return try bool() as! T
        case is String.Type: return try string() as! T
        case is Double.Type: return try double() as! T
        case is Float.Type: return Float(try double()) as! T
        case let integer as any FixedWidthInteger.Type: return try integerValue(integer) as! T
        default: return try T(from: self)
        }
    }

    func bool() throws(YAMLError) -> Bool {
        guard case .bool(let result) = value.content else { throw mismatch("true or false") }
        return result
    }

    func string() throws(YAMLError) -> String {
        guard case .string(let result) = value.content else { throw mismatch("a string") }
        return result
    }

    func double() throws(YAMLError) -> Double {
        switch value.content {
        case .double(let result): return result
        case .int(let result): return Double(result)
        default: throw mismatch("a number")
        }
    }

    func integerValue<T: FixedWidthInteger>(_ type: T.Type) throws(YAMLError) -> T {
        let result: T? =
            switch value.content {
            case .int(let number): T(exactly: number)
            case .double(let number): T(exactly: number)
            default: throw mismatch("an integer")
            }
        guard let result else {
            throw YAMLError(
                .wrongType, "\(value.kind) is not within \(T.min)…\(T.max)", path: codingPath.yamlPath,
                mark: value.mark)
        }
        return result
    }
}
