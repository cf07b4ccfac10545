internal import JSON

/// The members of an object, each where its value stands.
struct JSONMembers {
    let list: [(key: String, value: JSONReader)]
    /// Of objects that are large, such as the data of a ConfigMap.
    private let places: [String: Int]?

    init(_ decoder: JSONBytesDecoder) throws {
        var reader = decoder.reader
        let found = reader.kind
        guard found == .object else {
            throw decoder.mismatch([String: JSONValue].self, expected: .object, found: found)
        }
        var list: [(key: String, value: JSONReader)] = []
        list.reserveCapacity(8)
        try decoder.wellFormed { () throws(JSONReader.Flaw) in
            try reader.object { (key, reader) throws(JSONReader.Flaw) in list.append((key, try reader.deferred())) }
        }
        self.list = list
        places =
            list.count > 16
            ? Dictionary(list.enumerated().map { ($1.key, $0) }, uniquingKeysWith: { $1 }) : nil
    }

    /// Of a key that stands there twice the last one counts.
    subscript(key: String) -> JSONReader? {
        if let places { return places[key].map { list[$0].value } }
        return list.last { $0.key == key }?.value
    }
}

struct JSONObjectContainer<Key: CodingKey>: KeyedDecodingContainerProtocol {
    private let decoder: JSONBytesDecoder
    private let members: JSONMembers

    init(_ decoder: JSONBytesDecoder) throws {
        self.decoder = decoder
        members = try JSONMembers(decoder)
    }

    var codingPath: [any CodingKey] { decoder.codingPath }
    var allKeys: [Key] { members.list.compactMap { Key(stringValue: $0.key) } }

    private func find(_ key: Key) throws -> JSONBytesDecoder {
        guard let value = members[key.stringValue] else {
            throw DecodingError.keyNotFound(key, .init(codingPath: codingPath, debugDescription: "it is missing"))
        }
        return decoder.nested(value, key)
    }

    /// Nil also where the value is null.
    private func findIfPresent(_ key: Key) -> JSONBytesDecoder? {
        guard var value = members[key.stringValue], value.kind != .null else { return nil }
        return decoder.nested(value, key)
    }

    func contains(_ key: Key) -> Bool { members[key.stringValue] != nil }
    func decodeNil(forKey key: Key) throws -> Bool { try find(key).isNull }
    func decode(_ type: String.Type, forKey key: Key) throws -> String { try find(key).string() }
    func decode(_ type: Bool.Type, forKey key: Key) throws -> Bool { try find(key).boolean() }
    func decode(_ type: Double.Type, forKey key: Key) throws -> Double { try find(key).double() }
    func decode(_ type: Int.Type, forKey key: Key) throws -> Int { try find(key).integer(type) }
    func decode(_ type: Int64.Type, forKey key: Key) throws -> Int64 { try find(key).integer(type) }
    func decode<T: Decodable>(_ type: T.Type, forKey key: Key) throws -> T { try find(key).unwrap(type) }

    func decodeIfPresent(_ type: String.Type, forKey key: Key) throws -> String? { try findIfPresent(key)?.string() }
    func decodeIfPresent(_ type: Bool.Type, forKey key: Key) throws -> Bool? { try findIfPresent(key)?.boolean() }
    func decodeIfPresent(_ type: Int.Type, forKey key: Key) throws -> Int? { try findIfPresent(key)?.integer(type) }
    func decodeIfPresent(_ type: Int64.Type, forKey key: Key) throws -> Int64? {
        try findIfPresent(key)?.integer(type)
    }
    func decodeIfPresent<T: Decodable>(_ type: T.Type, forKey key: Key) throws -> T? {
        try findIfPresent(key)?.unwrap(type)
    }

    func nestedContainer<Nested: CodingKey>(
        keyedBy type: Nested.Type, forKey key: Key
    ) throws -> KeyedDecodingContainer<Nested> {
        try find(key).container(keyedBy: type)
    }

    func nestedUnkeyedContainer(forKey key: Key) throws -> any UnkeyedDecodingContainer {
        try find(key).unkeyedContainer()
    }

    func superDecoder() throws -> any Decoder { decoder }
    func superDecoder(forKey key: Key) throws -> any Decoder { try find(key) }
}

struct JSONArrayContainer: UnkeyedDecodingContainer {
    /// A place in a list, as a key of a path.
    private struct Place: CodingKey {
        let index: Int

        init(_ index: Int) { self.index = index }
        init?(stringValue: String) { nil }
        init?(intValue: Int) { index = intValue }

        var stringValue: String { "Index \(index)" }
        var intValue: Int? { index }
    }

    private let decoder: JSONBytesDecoder
    /// At the next element.
    private var reader: JSONReader
    private(set) var currentIndex = 0
    private(set) var isAtEnd: Bool

    init(_ decoder: JSONBytesDecoder) throws {
        self.decoder = decoder
        var reader = decoder.reader
        let found = reader.kind
        guard found == .array else { throw decoder.mismatch([JSONValue].self, expected: .array, found: found) }
        isAtEnd = try !decoder.wellFormed { () throws(JSONReader.Flaw) in try reader.firstElement() }
        self.reader = reader
    }

    var codingPath: [any CodingKey] { decoder.codingPath }
    var count: Int? { nil }

    /// Passes over the next element.
    private mutating func take() throws -> JSONBytesDecoder {
        guard !isAtEnd else {
            throw DecodingError.valueNotFound(
                JSONValue.self,
                .init(codingPath: codingPath, debugDescription: "the list has only \(currentIndex) entries"))
        }
        var (reader, isAtEnd) = (reader, isAtEnd)
        let element = try decoder.wellFormed { () throws(JSONReader.Flaw) in
            let element = try reader.deferred()
            isAtEnd = try !reader.nextElement()
            return element
        }
        defer { currentIndex += 1 }
        (self.reader, self.isAtEnd) = (reader, isAtEnd)
        return decoder.nested(element, Place(currentIndex))
    }

    mutating func decodeNil() throws -> Bool {
        guard !isAtEnd, reader.kind == .null else { return false }
        _ = try take()
        return true
    }

    mutating func decode<T: Decodable>(_ type: T.Type) throws -> T { try take().unwrap(type) }

    mutating func nestedContainer<Nested: CodingKey>(keyedBy type: Nested.Type) throws -> KeyedDecodingContainer<Nested>
    {
        try take().container(keyedBy: type)
    }

    mutating func nestedUnkeyedContainer() throws -> any UnkeyedDecodingContainer { try take().unkeyedContainer() }
    mutating func superDecoder() throws -> any Decoder { try take() }
}

struct JSONScalarContainer: SingleValueDecodingContainer {
    let decoder: JSONBytesDecoder

    var codingPath: [any CodingKey] { decoder.codingPath }

    func decodeNil() -> Bool { decoder.isNull }
    func decode(_ type: String.Type) throws -> String { try decoder.string() }
    func decode(_ type: Bool.Type) throws -> Bool { try decoder.boolean() }
    func decode(_ type: Double.Type) throws -> Double { try decoder.double() }
    func decode<T: Decodable>(_ type: T.Type) throws -> T { try decoder.unwrap(type) }
}
