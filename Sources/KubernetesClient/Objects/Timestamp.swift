public import Foundation

/// A time as metadata and conditions carry it: RFC 3339, whole seconds. Read with a fraction, too.
public struct Timestamp: Codable, Hashable, Sendable, Comparable, CustomStringConvertible {
    public var date: Date

    public init(_ date: Date) {
        self.date = date
    }

    public init?(_ text: String) {
        guard let date = RFC3339.date(text) else { return nil }
        self.date = date
    }

    public init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        guard let time = Timestamp(try container.decode(String.self)) else {
            throw DecodingError.dataCorruptedError(in: container, debugDescription: "not a time in RFC 3339")
        }
        self = time
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(description)
    }

    public var description: String { RFC3339.seconds(date) }

    public static func < (left: Timestamp, right: Timestamp) -> Bool { left.date < right.date }
}

/// A time with six digits of a second, as leases and events carry it.
public struct MicroTimestamp: Codable, Hashable, Sendable, CustomStringConvertible {
    public var date: Date

    public init(_ date: Date) {
        self.date = date
    }

    public init(from decoder: any Decoder) throws {
        date = try Timestamp(from: decoder).date
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(description)
    }

    public var description: String { RFC3339.microseconds(date) }
}

enum RFC3339 {
    static func date(_ text: String) -> Date? {
        if let date = plain(text) { return date }
        guard let point = text.firstIndex(of: ".") else { return try? Date(text, strategy: .iso8601) }
        let digits = text[text.index(after: point)...].prefix(while: \.isNumber)
        let rest = text[digits.endIndex...]
        guard let whole = try? Date(text[..<point] + rest, strategy: .iso8601), let fraction = Double("0." + digits)
        else { return nil }
        return whole.addingTimeInterval(fraction)
    }

    /// Of a time as Kubernetes itself writes it, `2026-01-31T23:59:59Z`, without a parser for all the others: an object has
    /// ten of them.
    private static func plain(_ text: String) -> Date? {
        let bytes = text.utf8
        guard bytes.count == 20 else { return nil }
        var numbers: [Int] = []
        numbers.reserveCapacity(6)
        for (place, byte) in bytes.enumerated() {
            switch place {
            case 4, 7: guard byte == UInt8(ascii: "-") else { return nil }
            case 10: guard byte == UInt8(ascii: "T") else { return nil }
            case 13, 16: guard byte == UInt8(ascii: ":") else { return nil }
            case 19: guard byte == UInt8(ascii: "Z") else { return nil }
            default:
                guard UInt8(ascii: "0")...UInt8(ascii: "9") ~= byte else { return nil }
                let digit = Int(byte - UInt8(ascii: "0"))
                if [0, 5, 8, 11, 14, 17].contains(place) {
                    numbers.append(digit)
                } else {
                    numbers[numbers.count - 1] = numbers[numbers.count - 1] * 10 + digit
                }
            }
        }
        let (year, month, day) = (numbers[0], numbers[1], numbers[2])
        let isLeap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
        let lengths = [31, isLeap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
        guard year >= 1970, 1...12 ~= month, day >= 1, day <= lengths[month - 1], numbers[3] < 24, numbers[4] < 60,
            numbers[5] < 60
        else { return nil }
        // Days since 1970-01-01 in the Gregorian calendar, with years that begin in March.
        let (era, shifted) = (month < 3 ? year - 1 : year, (month + 9) % 12)
        let days = era * 365 + era / 4 - era / 100 + era / 400 + (shifted * 153 + 2) / 5 + day - 719_469
        return Date(timeIntervalSince1970: Double(days * 86_400 + numbers[3] * 3600 + numbers[4] * 60 + numbers[5]))
    }

    static func seconds(_ date: Date) -> String {
        Date(timeIntervalSince1970: date.timeIntervalSince1970.rounded(.down)).formatted(.iso8601)
    }

    static func microseconds(_ date: Date) -> String {
        let micros = Int64((date.timeIntervalSince1970 * 1_000_000).rounded(.down))
        let whole = Date(timeIntervalSince1970: Double(micros / 1_000_000)).formatted(.iso8601)
        let fraction = String(micros % 1_000_000)
        return whole.dropLast() + "." + String(repeating: "0", count: 6 - fraction.count) + fraction + "Z"
    }
}
