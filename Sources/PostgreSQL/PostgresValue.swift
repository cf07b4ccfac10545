/// A parameter of a statement. It is sent in the text format and the server decides the type, from the cast
/// (`$1::bigint`) or the place where it stands.
public enum PostgresValue: Sendable, Hashable {
    case null
    case text(String)
    case integer(Int64)
    case boolean(Bool)
    /// An array of any type whose elements read as text; nil is an element that is NULL.
    case textArray([String?])
    /// For `bytea`.
    case bytes([UInt8])

    /// `text`, or NULL for nil.
    public static func optional(_ text: String?) -> PostgresValue {
        text.map { .text($0) } ?? .null
    }

    /// `number`, or NULL for nil.
    public static func optional(_ number: Int64?) -> PostgresValue {
        number.map { .integer($0) } ?? .null
    }

    /// The text that is sent; nil is NULL.
    var sent: String? {
        switch self {
        case .null: nil
        case .text(let text): text
        case .integer(let number): String(number)
        case .boolean(let flag): flag ? "t" : "f"
        case .textArray(let elements): Self.array(elements)
        case .bytes(let bytes): Self.hexadecimal(bytes)
        }
    }

    /// An array as PostgreSQL's manual says under "Array Input and Output Syntax".
    private static func array(_ elements: [String?]) -> String {
        var bytes: [UInt8] = [UInt8(ascii: "{")]
        for element in elements {
            if bytes.count > 1 { bytes.append(UInt8(ascii: ",")) }
            guard var element else {
                bytes.append(contentsOf: "NULL".utf8)
                continue
            }
            bytes.append(UInt8(ascii: "\""))
            element.withUTF8 { text in
                for byte in text {
                    if byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") { bytes.append(UInt8(ascii: "\\")) }
                    bytes.append(byte)
                }
            }
            bytes.append(UInt8(ascii: "\""))
        }
        bytes.append(UInt8(ascii: "}"))
        return String(decoding: bytes, as: UTF8.self)
    }

    private static func hexadecimal(_ bytes: [UInt8]) -> String {
        let digits = Array("0123456789abcdef".utf8)
        var text: [UInt8] = Array("\\x".utf8)
        text.reserveCapacity(2 + 2 * bytes.count)
        for byte in bytes {
            text.append(digits[Int(byte >> 4)])
            text.append(digits[Int(byte & 15)])
        }
        return String(decoding: text, as: UTF8.self)
    }
}

extension PostgresValue: ExpressibleByStringLiteral, ExpressibleByStringInterpolation {
    public init(stringLiteral value: String) {
        self = .text(value)
    }
}

extension PostgresValue: ExpressibleByIntegerLiteral {
    public init(integerLiteral value: Int64) {
        self = .integer(value)
    }
}

extension PostgresValue: ExpressibleByBooleanLiteral {
    public init(booleanLiteral value: Bool) {
        self = .boolean(value)
    }
}

extension PostgresValue: ExpressibleByNilLiteral {
    public init(nilLiteral: ()) {
        self = .null
    }
}
