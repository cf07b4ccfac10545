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
        case .textArray(let elements): "{" + elements.map(Self.element).joined(separator: ",") + "}"
        case .bytes(let bytes): Self.hexadecimal(bytes)
        }
    }

    private static func element(_ text: String?) -> String {
        guard let text else { return "NULL" }
        var quoted = "\""
        for scalar in text.unicodeScalars {
            if scalar == "\"" || scalar == "\\" { quoted.unicodeScalars.append("\\") }
            quoted.unicodeScalars.append(scalar)
        }
        return quoted + "\""
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
