import Foundation
import JSON
import TestSupport
import Testing

@testable import DurablePromises

/// The reader and the writer of JSON, by the judgement of Foundation's.
@Suite("JSON")
struct JSONTests {
    private static let documents = TestServers.isSoak ? 200_000 : 4000

    @Test("is read as Foundation reads it, however it is written", arguments: 0..<4 as Range<UInt64>)
    func reading(seed: UInt64) throws {
        var random = RandomJSON(seed: seed)
        for _ in 0..<Self.documents / 4 {
            let tree = random.tree()
            let text = random.text(tree)
            let read = try JSONTree(json: Array(text.utf8))
            guard read == tree, JSONTree(judge: Data(text.utf8)) == tree else {
                Issue.record("\(text) was read as something else")
                return
            }
        }
    }

    @Test("is written so that Foundation reads it, and on one line in ASCII where asked", arguments: [false, true])
    func writing(isASCII: Bool) throws {
        var random = RandomJSON(seed: 5)
        for _ in 0..<Self.documents {
            let tree = random.tree()
            let bytes = tree.json(isASCII: isASCII)
            #expect(!isASCII || bytes.allSatisfy { 0x20..<0x80 ~= $0 })
            guard JSONTree(judge: Data(bytes)) == tree, try JSONTree(json: bytes) == tree else {
                Issue.record("\(String(decoding: bytes, as: UTF8.self)) is not what was to be written")
                return
            }
        }
    }

    @Test("that is damaged is refused where Foundation refuses it", arguments: 0..<4 as Range<UInt64>)
    func damage(seed: UInt64) throws {
        var random = RandomJSON(seed: seed &+ 100)
        var refused = 0
        for _ in 0..<Self.documents {
            // Foundation guesses the encoding by the first bytes.
            let bytes =
                Array(#"["","#.utf8) + random.damaged(Array(random.text(random.tree(depth: 3)).utf8) + Array("]".utf8))
            let judged = JSONTree(judge: Data(bytes))
            let read = try? JSONTree(json: bytes)
            if read == nil { refused += 1 }
            // Half of a surrogate pair, and bytes that are no UTF-8, are matters of taste.
            let text = String(decoding: bytes, as: UTF8.self)
            if "\(text)\(read as Any)".unicodeScalars.contains("\u{FFFD}") { continue }
            // To Foundation a comma at the end is none, and a large exponent no number.
            if text.contains(#/,\s*[\]}]|[eE][+-]?[0-9]{3}/#) { continue }
            guard (read == nil) == (judged == nil) else {
                Issue.record("\(text) was \(read == nil ? "refused" : "taken"), and should not have been")
                return
            }
        }
        #expect(refused > Self.documents / 4 && refused < Self.documents)
    }

    @Test(
        "that is none is refused",
        arguments: [
            "", " ", "{", "}", "[", "]", "[1", "[1,", "[1,]", "[,1]", "{\"a\"}", "{\"a\":}", "{\"a\":1,}", "{,}",
            "{1:2}",
            "{\"a\" 1}", "{\"a\":1 \"b\":2}", "[1 2]", "1 2", "nul", "nulll", "True", "undefined", "NaN", "Infinity",
            "-", "--1", "+1", ".5", "1.", "1.e3", "-.5", "01", "-01", "00", "0x10", "1e", "1e+", "1e1.5", "1_000", "١",
            "\"", "\"\\\"", "\"\\x\"", "\"\\u12\"", "\"\\u12g4\"", "\"\\u\"", "'a'", "\"a\nb\"", "\"a\tb\"", "\"a\0b\"",
            "// a\n1", "[1]//", "\u{FEFF}1",
        ])
    func nonsense(text: String) {
        #expect(throws: JSONReader.Flaw.self) { try JSONTree(json: Array(text.utf8)) }
    }

    @Test(
        "with bytes that are no UTF-8 in a string is refused",
        arguments: [
            [0xFF], [0xC3], [0xC3, 0x28], [0xC0, 0x80], [0xED, 0xA0, 0x80], [0xF4, 0x90, 0x80, 0x80], [0x80],
            [0xE2, 0x82], [0xF8, 0x88, 0x80, 0x80, 0x80],
        ] as [[UInt8]])
    func invalidUTF8(bytes: [UInt8]) {
        let quote = [UInt8(ascii: "\"")]
        #expect(throws: JSONReader.Flaw.self) { try JSONTree(json: quote + bytes + quote) }
        // The same after something that is escaped, which is another way through the reader.
        #expect(throws: JSONReader.Flaw.self) { try JSONTree(json: quote + Array(#"\n"#.utf8) + bytes + quote) }
    }

    @Test("has characters as pairs of surrogates, and nothing by half of one")
    func surrogates() throws {
        for (text, expected) in [(#""\ud83d\ude00""#, "😀"), (#""\uD83D\uDE00""#, "😀"), (#""\u0000""#, "\0")] {
            #expect(try JSONTree(json: Array(text.utf8)) == .string(expected), "\(text)")
        }
        for text in [
            #""\ud83d""#, #""\ude00""#, #""\ud83dx""#, #""\ud83d\n""#, #""\ud83d\u0041""#, #""\ud83d\ud83d\ude00""#,
            #""\ude00\ud83d""#, #""\ud83d\u00""#,
        ] {
            #expect(throws: JSONReader.Flaw.self, "\(text)") { try JSONTree(json: Array(text.utf8)) }
        }
    }

    @Test("may be nested, but not without an end")
    func nesting() throws {
        func nested(_ levels: Int) -> [UInt8] {
            Array((String(repeating: "[", count: levels) + String(repeating: "]", count: levels)).utf8)
        }
        _ = try JSONTree(json: nested(64))
        #expect(throws: JSONReader.Flaw.self) { try JSONTree(json: nested(65)) }
        #expect(throws: JSONReader.Flaw.self) { try JSONTree(json: nested(1_000_000)) }
        // Side by side they are any number.
        _ = try JSONTree(json: Array(("[" + String(repeating: "[[]],", count: 1000) + "0]").utf8))
        #expect(throws: JSONReader.Flaw.self) {
            try JSONTree(json: Array(String(repeating: #"{"a":"#, count: 100_000).utf8))
        }
    }

    @Test(
        "is passed over however deep it is, and nowhere if it is none", arguments: [1, 63, 64, 65, 128, 129, 100_000])
    func skipping(levels: Int) throws {
        func skip(_ text: String) throws(JSONReader.Flaw) -> String {
            try JSONReader.read(Array(text.utf8)) { (reader) throws(JSONReader.Flaw) in
                var rest = ""
                try reader.array { (reader) throws(JSONReader.Flaw) in
                    if reader.kind == .string { rest = try reader.string() } else { try reader.skip() }
                }
                return rest
            }
        }
        // Objects and arrays by turns, each with something before and behind what is nested in it.
        let opening = (0..<levels).map { $0 % 3 == 0 ? #"{"a":1,"b":"# : "[[],{}," }.joined()
        let closing = (0..<levels).reversed().map { $0 % 3 == 0 ? #","c":[]}"# : ",0]" }.joined()
        #expect(try skip("[" + opening + "null" + closing + #","next"]"#) == "next")
        for wrong in [
            opening + closing, opening + "null", opening + "null" + closing.dropLast() + ")",
            opening + "null" + closing.dropLast() + (closing.last == "}" ? "]" : "}"), opening + #"{"a"}"# + closing,
            opening + "{1:2}" + closing, opening + "[1 2]" + closing, opening + "[1,]" + closing,
            opening + #"{"a":1,}"# + closing,
        ] {
            #expect(throws: JSONReader.Flaw.self, "\(wrong.prefix(60))") { try skip("[" + wrong + "]") }
        }
    }

    @Test("has whole numbers of 64 bits, and no others where such a one is wanted")
    func integers() throws {
        func read(_ text: String) -> Int64? {
            try? JSONReader.read(Array(text.utf8)) { (reader) throws(JSONReader.Flaw) in try reader.integer() }
        }
        let whole: [(String, Int64)] = [
            ("0", 0), ("-0", 0), ("9223372036854775807", .max), ("-9223372036854775808", .min), ("1e3", 1000),
            ("1.0", 1), ("-2.50e1", -25), ("9007199254740993", 9_007_199_254_740_993),
        ]
        for (text, number) in whole { #expect(read(text) == number, "\(text)") }
        for text in [
            "0.5", "9223372036854775808", "-9223372036854775809", "1e19", "1e400", "\"1\"", "true", "null", "[]",
        ] {
            #expect(read(text) == nil, "\(text)")
        }
    }
}
