internal import DurablePromises

/// What a promise with a target is made with: the function that is to settle it, and its arguments.
struct Call: Encodable {
    let name: String
    let version: Int
    let arguments: [any Encodable & Sendable]

    init(_ name: String, version: Int = 1, arguments: [any Encodable & Sendable] = []) {
        self.name = name
        self.version = version
        self.arguments = arguments.filter { !($0 is Nothing) }
    }

    private enum Key: String, CodingKey {
        case name = "func"
        case args, kwargs, version
    }

    func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: Key.self)
        try container.encode(name, forKey: .name)
        var list = container.nestedUnkeyedContainer(forKey: .args)
        for argument in arguments { try list.encode(argument) }
        try container.encode([String: String](), forKey: .kwargs)
        try container.encode(version, forKey: .version)
    }

    /// Which function is asked for, whatever its arguments are.
    struct Head: Decodable {
        let name: String
        let version: Int

        init(from decoder: any Decoder) throws {
            let container = try decoder.container(keyedBy: Key.self)
            name = try container.decode(String.self, forKey: .name)
            version = try container.decodeIfPresent(Int.self, forKey: .version) ?? 1
        }
    }

    /// The arguments as the one value that a function takes: a single one as it is, several as a list, named ones as an
    /// object.
    struct Arguments<Input: Decodable>: Decodable {
        let input: Input

        init(from decoder: any Decoder) throws {
            let container = try decoder.container(keyedBy: Key.self)
            if Input.self == Nothing.self {
                input = try Input(from: decoder)
                return
            }
            let names = try? container.nestedContainer(keyedBy: AnyKey.self, forKey: .kwargs).allKeys
            var list = try? container.nestedUnkeyedContainer(forKey: .args)
            switch (list?.count ?? 0, names?.count ?? 0) {
            case (0, 1...): input = try container.decode(Input.self, forKey: .kwargs)
            case (1, 0): input = try list!.decode(Input.self)
            case (0, 0): input = try Input(from: NoValue(codingPath: decoder.codingPath))
            default: input = try container.decode(Input.self, forKey: .args)
            }
        }
    }

    private struct AnyKey: CodingKey {
        let stringValue: String
        var intValue: Int? { nil }
        init(stringValue: String) { self.stringValue = stringValue }
        init?(intValue: Int) { nil }
    }
}

/// `null`, to be decoded by what may be absent.
private struct NoValue: Decoder, SingleValueDecodingContainer {
    let codingPath: [any CodingKey]
    var userInfo: [CodingUserInfoKey: Any] { [:] }

    private var missing: DecodingError {
        .dataCorrupted(.init(codingPath: codingPath, debugDescription: "the call has no arguments"))
    }

    func container<Key: CodingKey>(keyedBy type: Key.Type) throws -> KeyedDecodingContainer<Key> { throw missing }
    func unkeyedContainer() throws -> any UnkeyedDecodingContainer { throw missing }
    func singleValueContainer() throws -> any SingleValueDecodingContainer { self }
    func decodeNil() -> Bool { true }
    func decode<Value: Decodable>(_ type: Value.Type) throws -> Value { throw missing }
}
