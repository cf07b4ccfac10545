import TestSupport
import Testing
import YAML

@Suite("YAML encoder")
struct YAMLEncoderTests {
    struct Column: Codable, Equatable {
        var name: String
        var type: String?
        var nullable: Bool?
    }

    struct Sample: Codable, Equatable {
        var zone: String
        var columns: [Column]
        var limits: [String: Double]
        var count: Int
        var nothing: [Int]
        var about: Column
    }

    @Test(
        "keys stand in the order in which they are encoded, those of a dictionary sorted, and short things on one line")
    func layout() throws {
        let sample = Sample(
            zone: "b", columns: [Column(name: "first", type: "numeric(10,2)", nullable: false), Column(name: "x")],
            limits: ["b": 1.5, "a": 2], count: -3, nothing: [],
            about: Column(name: String(repeating: "long ", count: 20) + "name", type: "text"))
        #expect(
            try YAMLEncoder().encode(sample) == """
                zone: b
                columns:
                - {name: first, type: 'numeric(10,2)', nullable: false}
                - {name: x}
                limits: {a: 2.0, b: 1.5}
                count: -3
                nothing: []
                about:
                  name: \(String(repeating: "long ", count: 20))name
                  type: text

                """)
        #expect(try YAMLDecoder().decode(Sample.self, from: try YAMLEncoder().encode(sample)) == sample)
    }

    /// Readers of YAML 1.1, of which kubectl is one, take more for numbers and booleans than YAML 1.2 does.
    @Test(
        "what could be taken for something else is quoted",
        arguments: [
            ("no", "\"no\""), ("Yes", "\"Yes\""), ("on", "\"on\""), ("y", "\"y\""), ("true", "\"true\""),
            ("null", "\"null\""), ("~", "\"~\""), ("", "\"\""), ("1e3", "\"1e3\""), ("012", "\"012\""),
            ("0x1F", "\"0x1F\""),
            ("12:30", "\"12:30\""), ("2026-11-23", "\"2026-11-23\""), ("1_000", "\"1_000\""), (".5", "\".5\""),
            ("-1", "\"-1\""), (".inf", "\".inf\""), ("=", "\"=\""), ("a: b", "'a: b'"), ("# x", "'# x'"),
            ("'x'", "'''x'''"), ("40ms", "40ms"), ("nothing", "nothing"), ("1 day", "1 day"), ("\u{7}", "\"\\a\""),
            ("é€", "é€"),
        ])
    func quoting(text: String, written: String) throws {
        #expect(try YAMLEncoder().encode(["k": text]) == "k: \(written)\n")
    }

    @Test("lines stand as a block")
    func lines() throws {
        #expect(try YAMLEncoder().encode(["k": "SELECT 1\n  + 2\n"]) == "k: |\n  SELECT 1\n    + 2\n")
    }

    /// Characters at which writers of YAML go wrong, in all orders.
    @Test("whatever is written is read as it was, as a value and as a key, in a block and on one line")
    func roundTrip() throws {
        let pieces = [
            " ", "\n", "\t", "\r", "'", "\"", "\\", ":", "#", "-", "?", "!", "&", "*", "[", "]", "{", "}", ",", "|",
            ">",
            "%", "@", "`", "a", "0", "é", "\u{85}", "\u{2028}", "\u{FEFF}", "\u{0}", "😀", "---", "...", "no", ": ",
            " #",
        ]
        var random = SplitMix(seed: 42)
        for _ in 0..<4_000 {
            let text = (0..<Int.random(in: 0...6, using: &random)).map { _ in pieces.randomElement(using: &random)! }
                .joined()
            let long = text + String(repeating: "x", count: 100)
            let value = [["k\(text)": text], ["k": long]]
            let written = try YAMLEncoder().encode(value)
            let read = try? YAMLDecoder().decode([[String: String]].self, from: written)
            #expect(read == value, "\(text.debugDescription): \(written.debugDescription)")
        }
    }

    @Test("numbers are read as they were", arguments: [0.1, 1e300, -2.5e-300, 5, .infinity, -.infinity, 1e16])
    func numbers(number: Double) throws {
        #expect(try YAMLDecoder().decode([Double].self, from: try YAMLEncoder().encode([number])) == [number])
    }

    @Test("an integer that YAML's readers would not hold is refused")
    func large() {
        #expect(throws: EncodingError.self) { try YAMLEncoder().encode([UInt64.max]) }
    }
}
