/// Writes `Encodable` types as YAML that ``YAMLDecoder``, kubectl and readers of YAML 1.1 understand alike.
///
/// Keys stand in the order in which the type encodes them; those of a dictionary, which has none, are sorted. What another
/// reader could take for a number, a boolean or nothing is quoted. Short lists and mappings of plain values go on one line.
public struct YAMLEncoder: Sendable {
    public init() {}

    /// One document, with a newline at its end.
    ///
    /// - Throws: `EncodingError` for a value that YAML's core schema cannot hold, and whatever the type itself throws.
    public func encode(_ value: some Encodable) throws -> String {
        let node = EncodedNode()
        try ValueEncoder(node: node, codingPath: []).encode(value)
        let emitter = try Emitter()
        try emitter.emit(node.value)
        return emitter.text
    }
}

/// A value that is being encoded: containers fill it after it was handed out.
final class EncodedNode {
    private enum State {
        case empty
        case scalar(YAMLValue.Content)
        case sequence([EncodedNode])
        case mapping([(key: String, node: EncodedNode)])
    }

    private var state = State.empty
    private var sorts = false

    var value: YAMLValue {
        switch state {
        case .empty: YAMLValue(.null)
        case .scalar(let content): YAMLValue(content)
        case .sequence(let nodes): YAMLValue(.sequence(nodes.map(\.value)))
        case .mapping(let entries):
            YAMLValue(
                .mapping(
                    YAMLMapping(
                        (sorts ? entries.sorted { $0.key < $1.key } : entries).map {
                            .init(key: $0.key, mark: YAMLMark(line: 1, column: 1), value: $0.node.value)
                        })))
        }
    }

    var count: Int {
        if case .sequence(let nodes) = state { nodes.count } else { 0 }
    }

    func set(_ content: YAMLValue.Content) { state = .scalar(content) }

    /// A type may ask for a container more than once, and all of them write to the same mapping.
    func beMapping() {
        if case .mapping = state { return }
        state = .mapping([])
    }

    func beSequence() {
        if case .sequence = state { return }
        state = .sequence([])
    }

    func sortKeys() { sorts = true }

    func child(_ key: String) -> EncodedNode {
        guard case .mapping(var entries) = state else { return EncodedNode() }
        let node = EncodedNode()
        if let index = entries.firstIndex(where: { $0.key == key }) {
            entries[index].node = node
        } else {
            entries.append((key, node))
        }
        state = .mapping(entries)
        return node
    }

    func append() -> EncodedNode {
        guard case .sequence(let nodes) = state else { return EncodedNode() }
        let node = EncodedNode()
        state = .sequence(nodes + [node])
        return node
    }
}

/// A dictionary with keys that YAML has, whatever its values are.
private protocol StringKeyed {}

extension Dictionary: StringKeyed where Key == String {}

/// The standard library's `Encoder`.
struct ValueEncoder: Encoder {
    let node: EncodedNode
    let codingPath: [any CodingKey]

    var userInfo: [CodingUserInfoKey: Any] { [:] }

    func container<Key: CodingKey>(keyedBy type: Key.Type) -> KeyedEncodingContainer<Key> {
        node.beMapping()
        return KeyedEncodingContainer(MappingEncoder<Key>(encoder: self))
    }

    func unkeyedContainer() -> any UnkeyedEncodingContainer {
        node.beSequence()
        return SequenceEncoder(encoder: self)
    }

    func singleValueContainer() -> any SingleValueEncodingContainer { ScalarEncoder(encoder: self) }

    /// Scalars directly, everything else by its own `encode(to:)`.
    func encode<Value: Encodable>(_ value: Value) throws {
        switch value {
        case let value as Bool: node.set(.bool(value))
        case let value as String: node.set(.string(value))
        case let value as Double: node.set(.double(value))
        case let value as Float: node.set(.double(Double(value)))
        case let value as any FixedWidthInteger:
            guard let number = Int64(exactly: value) else {
                throw EncodingError.invalidValue(
                    value, .init(codingPath: codingPath, debugDescription: "\(value) does not fit 64 bits with a sign"))
            }
            node.set(.int(number))
        default:
            try value.encode(to: self)
            if value is any StringKeyed { node.sortKeys() }
        }
    }

    func nested(_ node: EncodedNode, _ key: any CodingKey) -> ValueEncoder {
        ValueEncoder(node: node, codingPath: codingPath + [key])
    }
}

private struct MappingEncoder<Key: CodingKey>: KeyedEncodingContainerProtocol {
    let encoder: ValueEncoder

    var codingPath: [any CodingKey] { encoder.codingPath }

    private func child(_ key: some CodingKey) -> ValueEncoder {
        encoder.nested(encoder.node.child(key.stringValue), key)
    }

    func encodeNil(forKey key: Key) { child(key).node.set(.null) }
    func encode<Value: Encodable>(_ value: Value, forKey key: Key) throws { try child(key).encode(value) }

    func nestedContainer<Nested: CodingKey>(
        keyedBy type: Nested.Type, forKey key: Key
    ) -> KeyedEncodingContainer<Nested> {
        child(key).container(keyedBy: type)
    }

    func nestedUnkeyedContainer(forKey key: Key) -> any UnkeyedEncodingContainer { child(key).unkeyedContainer() }
    func superEncoder() -> any Encoder { child(NameKey("super")) }
    func superEncoder(forKey key: Key) -> any Encoder { child(key) }
}

private struct SequenceEncoder: UnkeyedEncodingContainer {
    let encoder: ValueEncoder

    var codingPath: [any CodingKey] { encoder.codingPath }
    var count: Int { encoder.node.count }

    private func next() -> ValueEncoder {
        encoder.nested(encoder.node.append(), IndexKey(count))
    }

    func encodeNil() { next().node.set(.null) }
    func encode<Value: Encodable>(_ value: Value) throws { try next().encode(value) }

    func nestedContainer<Nested: CodingKey>(keyedBy type: Nested.Type) -> KeyedEncodingContainer<Nested> {
        next().container(keyedBy: type)
    }

    func nestedUnkeyedContainer() -> any UnkeyedEncodingContainer { next().unkeyedContainer() }
    func superEncoder() -> any Encoder { next() }
}

private struct ScalarEncoder: SingleValueEncodingContainer {
    let encoder: ValueEncoder

    var codingPath: [any CodingKey] { encoder.codingPath }

    func encodeNil() { encoder.node.set(.null) }
    func encode<Value: Encodable>(_ value: Value) throws { try encoder.encode(value) }
}
