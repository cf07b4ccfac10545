import TestSupport

@testable import DurablePromises

/// JSON documents as nobody would write them: seeded, so that a failure can be looked at again.
struct RandomJSON {
    private var random: SplitMix

    init(seed: UInt64) {
        random = SplitMix(seed: seed)
    }

    mutating func tree(depth: Int = 5) -> JSONTree {
        switch Int.random(in: 0..<(depth == 0 ? 5 : 8), using: &random) {
        case 0: .null
        case 1: .boolean(Bool.random(using: &random))
        case 2: .number(number())
        case 3, 4: .string(string())
        case 5: .array((0..<Int.random(in: 0...4, using: &random)).map { _ in tree(depth: depth - 1) })
        default:
            .object(
                Dictionary((0..<Int.random(in: 0...4, using: &random)).map { _ in (string(), tree(depth: depth - 1)) })
                {
                    $1
                }
            )
        }
    }

    /// What every reader makes the same number of.
    private mutating func number() -> Double {
        switch Int.random(in: 0..<4, using: &random) {
        case 0: 0
        case 1: Double(Int.random(in: -100...100, using: &random))
        case 2: Double(Int64.random(in: -(1 << 53)...(1 << 53), using: &random))
        default: Double(Int.random(in: -10_000...10_000, using: &random)) / 8
        }
    }

    mutating func string() -> String {
        var text = ""
        for _ in 0..<Int.random(in: 0...12, using: &random) { text.unicodeScalars.append(scalar()) }
        return text
    }

    /// None that Foundation leaves out where it stands by itself: it takes one in the middle for a byte order mark.
    private mutating func scalar() -> Unicode.Scalar {
        let ranges: [ClosedRange<UInt32>] = [
            0x20...0x7E, 0x20...0x7E, 0...0x1F, 0x7F...0xFF, 0x2028...0x2029, 0xE000...0xFFFD, 0x1F300...0x1F6FF,
            0x100...0xD7FF,
        ]
        let range = ranges.randomElement(using: &random) ?? 0x20...0x7E
        let value = UInt32.random(in: range, using: &random)
        return value == 0xFEFF ? " " : Unicode.Scalar(value) ?? " "
    }

    /// The document with white space where it may be, and each character written in one of its ways.
    mutating func text(_ tree: JSONTree) -> String {
        let text =
            switch tree {
            case .null: "null"
            case .boolean(let boolean): "\(boolean)"
            case .number(let number): numeral(number)
            case .string(let text): quoted(text)
            case .array(let elements): "[" + elements.map { self.text($0) }.joined(separator: ",") + space() + "]"
            case .object(let members):
                "{"
                    + members.map { space() + quoted($0.key) + space() + ":" + self.text($0.value) }
                    .joined(separator: ",") + space() + "}"
            }
        return space() + text + space()
    }

    private mutating func numeral(_ number: Double) -> String {
        guard let integer = Int64(exactly: number) else { return "\(number)" }
        switch Int.random(in: 0..<4, using: &random) {
        case 0: return "\(integer).0"
        case 1: return "\(integer)e0"
        case 2 where abs(integer) < 1 << 40: return "\(integer * 100)E-2"
        default: return "\(integer)"
        }
    }

    private mutating func space() -> String {
        Bool.random(using: &random) ? "" : [" ", "\n", "\r\n", "\t"].randomElement(using: &random) ?? ""
    }

    private mutating func quoted(_ text: String) -> String {
        let names: [Unicode.Scalar: String] = [
            "\"": #"\""#, "\\": #"\\"#, "\u{8}": #"\b"#, "\u{C}": #"\f"#, "\n": #"\n"#, "\r": #"\r"#, "\t": #"\t"#,
        ]
        var quoted = "\""
        for scalar in text.unicodeScalars {
            let way = Int.random(in: 0..<4, using: &random)
            if let name = names[scalar], way > 0 {
                quoted += name
            } else if scalar.value < 0x20 || scalar == "\"" || scalar == "\\" || way == 0 {
                for unit in String(scalar).utf16 {
                    let digits = String(unit, radix: 16, uppercase: Bool.random(using: &random))
                    quoted += #"\u"# + String(repeating: "0", count: 4 - digits.count) + digits
                }
            } else {
                quoted += scalar == "/" && way == 1 ? #"\/"# : String(scalar)
            }
        }
        return quoted + "\""
    }

    /// The text with some bytes changed, added, left out, or its end cut off.
    mutating func damaged(_ bytes: [UInt8]) -> [UInt8] {
        var bytes = bytes
        for _ in 0..<Int.random(in: 1...2, using: &random) where !bytes.isEmpty {
            let place = bytes.indices.randomElement(using: &random) ?? 0
            let telling = Array("{}[]:,\"\\0123456789-+.eEutfn /'".utf8)
            let byte = telling.randomElement(using: &random) ?? 0
            switch Int.random(in: 0..<4, using: &random) {
            case 0: bytes[place] = byte
            case 1: bytes.insert(byte, at: place)
            case 2: bytes.remove(at: place)
            default: bytes.removeLast(bytes.count - place)
            }
        }
        return bytes
    }
}
