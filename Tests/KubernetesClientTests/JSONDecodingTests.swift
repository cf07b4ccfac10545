import Foundation
import TestSupport
import Testing

@testable import KubernetesClient

/// How answers are read, by the judgement of Foundation's decoder.
@Suite("Reading JSON")
struct JSONDecodingTests {
    private static let documents = TestServers.isSoak ? 100_000 : 3000

    @Test(
        "any document is the value that Foundation reads, and what Foundation refuses is refused",
        arguments: 0..<2 as Range<UInt64>)
    func anyDocument(seed: UInt64) async {
        await onOwnThread {
            var random = SplitMix(seed: seed)
            for _ in 0..<Self.documents {
                var text = Self.document(&random, levels: 4)
                if Bool.random(using: &random) { text = Self.damaged(text, &random) }
                // Foundation lets a list end with a comma, which is no JSON.
                if text.contains(/,\s*\]/) { continue }
                let judged = try? JSONDecoder().decode(JSONValue.self, from: Data(text.utf8))
                let read = try? JSONValue(parsing: text)
                #expect(read == judged, "\(text)")
            }
        }
    }

    private static func document(_ random: inout SplitMix, levels: Int) -> String {
        switch Int.random(in: levels > 0 ? 0..<8 : 2..<8, using: &random) {
        case 0:
            let members = (0..<Int.random(in: 0...20, using: &random)).map { index in
                "\"k\(index)\":" + document(&random, levels: levels - 1)
            }
            return "{ " + members.joined(separator: " ,\n") + "}"
        case 1:
            let values = (0..<Int.random(in: 0...5, using: &random)).map { _ in document(&random, levels: levels - 1) }
            return "[" + values.joined(separator: ", ") + "\t]"
        case 2: return ["true", "false", "null"].randomElement(using: &random)!
        case 3: return String(Int64.random(in: .min ... .max, using: &random))
        case 4:
            return ["0", "-1", "1.5", "2e3", "-0.25E-2", "9223372036854775808", "1.0"].randomElement(using: &random)!
        default:
            // Around the length of a word, with what is not plain at every place of it.
            let parts = [
                "a", "bcd", "quite a long plain text", #"\""#, #"\\"#, #"\n"#, #"\u00e4"#, "ä", "😀", #"\ud83d\ude00"#,
            ]
            return "\""
                + (0..<Int.random(in: 0...6, using: &random)).map { _ in parts.randomElement(using: &random)! }
                .joined() + "\""
        }
    }

    private static func damaged(_ text: String, _ random: inout SplitMix) -> String {
        var bytes = Array(text.utf8)
        let place = Int.random(in: 0..<bytes.count, using: &random)
        switch Int.random(in: 0..<3, using: &random) {
        case 0: bytes.removeSubrange(place...)
        case 1: bytes[place] = UInt8.random(in: 0x01..<0x7f, using: &random)
        default: bytes.insert(contentsOf: Array(",}]\"\n".utf8.shuffled(using: &random).prefix(1)), at: place)
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    private struct Sample: Decodable, Equatable {
        struct Part: Decodable, Equatable {
            var count: Int
            var share: Double?
            var kept: JSONText?
        }

        var name: String
        var isOn: Bool?
        var parts: [Part]?
        var labels: [String: String]?
        var named: [String: Part]?
    }

    private func sample(_ text: String) throws(KubernetesError) -> Sample {
        try JSONCoding.decode(Sample.self, from: Array(text.utf8), of: "it")
    }

    @Test("a type gets what it asks for: null is nothing, and what it does not know is passed over")
    func types() throws {
        let read = try sample(
            #"{"x": [{}], "name": "a", "isOn": null, "parts": [{"count": 1.0, "share": 2, "kept": {"b": [1, "ä"]}}],"#
                + #""labels": {"k": "v"}, "named": {"one": {"count": 1, "share": null}}}"#)
        #expect(read.name == "a")
        #expect(read.isOn == nil)
        #expect(read.parts?.map(\.count) == [1])
        #expect(read.parts?.first?.share == 2)
        #expect(read.parts?.first?.kept?.value == ["b": [1, "ä"]])
        #expect(read.labels == ["k": "v"])
        #expect(read.named == ["one": .init(count: 1)])
    }

    @Test(
        "what does not fit is said with its place, and without its value",
        arguments: [
            ("{}", "name is missing"), (#"{"name": null}"#, "name: expected a string, found null"),
            (
                #"{"name": "a", "parts": [{"count": 1}, {"count": "secret"}]}"#,
                "parts.Index 1.count: expected a number, found a string"
            ),
            (#"{"name": "a", "parts": {}}"#, "parts: expected a list, found an object"),
            (#"{"name": "a", "named": {"one": [1]}}"#, "named.one: expected an object, found a list"),
            (#"{"name": "a", "labels": {"k": 1}}"#, "labels"),
            (#"{"name": "a", "parts": [{"count": 9223372036854775808}]}"#, "parts.Index 0.count"),
            (#"{"name": "a"} x"#, "it is no JSON"), ("", "it is no JSON"),
        ])
    func misfits(text: String, message: String) {
        let error = #expect(throws: KubernetesError.self) { try sample(text) }
        #expect(error?.code == .decoding)
        #expect(error?.message.contains(message) == true, "\(error?.message ?? "")")
        #expect(error?.message.contains("secret") != true)
    }

    @Test("an object that is large, or nested deeply, is read")
    func extremes() throws {
        let members = (0..<20_000).map { #""k\#($0)": "v""# }.joined(separator: ",")
        let labels = try sample(#"{"name": "a", "labels": {\#(members)}}"#).labels
        #expect(labels?.count == 20_000)
        let deep = String(repeating: #"{"a":"#, count: 100) + "1" + String(repeating: "}", count: 100)
        #expect(try JSONValue(parsing: deep)["a"] != nil)
        #expect(throws: KubernetesError.self) { try JSONValue(parsing: String(repeating: "[", count: 1_000_000)) }
    }

    @Test("who owns which field can be asked, though it is kept as text")
    func managedFields() throws {
        let meta = try JSONValue(
            parsing: #"{"name": "a", "managedFields": [{"manager": "m", "fieldsV1": {"f:spec": {"f:paused": {}}}}]}"#
        ).decode(ObjectMeta.self)
        #expect(meta.managedFields.first?.fieldsV1?[path: "f:spec", "f:paused"] == [:])
        #expect(meta.managedFields.first?.fieldsV1?["f:status"] == nil)
        // It is written as it was.
        #expect(
            try JSONValue(encoding: meta)[path: "managedFields"]?.array?.first?["fieldsV1"] == [
                "f:spec": ["f:paused": [:]]
            ])
    }

    @Test("a time as Kubernetes writes it is the one that Foundation reads; what is no time is none")
    func times() {
        var random = SplitMix(seed: 1)
        for _ in 0..<2000 {
            let date = Date(timeIntervalSince1970: Double(Int.random(in: 0..<8_000_000_000, using: &random)))
            #expect(Timestamp(date.formatted(.iso8601))?.date == date)
        }
        for text in [
            "2026-02-29T00:00:00Z", "2026-13-01T00:00:00Z", "2026-04-31T00:00:00Z", "2026-01-00T00:00:00Z",
            "2026-01-01 00:00:00Z", "2026-01-01T0a:00:00Z", "",
        ] {
            #expect(Timestamp(text)?.date == (try? Date(text, strategy: .iso8601)), "\(text)")
        }
        #expect(Timestamp("2024-02-29T12:00:00Z") != nil)
    }
}

@Suite("An object that is nested deeper than any that is read")
struct DeepObjectTests {
    @Test(
        "keeps no other of its list from being read, and is read as far as it is asked for", arguments: [200, 50_000])
    func neighbours(levels: Int) throws {
        let deep = String(repeating: #"{"a":["#, count: levels) + "1" + String(repeating: "]}", count: levels)
        let text = """
            {"metadata": {"resourceVersion": "7"}, "items": [
              {"metadata": {"name": "deep", "managedFields": [{"manager": "m", "fieldsV1": \(deep)}]}, "spec": \(deep)},
              {"metadata": {"name": "plain"}, "spec": {"replicas": 1}}]}
            """
        let page = try JSONCoding.decode(ListPage<Secret>.self, from: Array(text.utf8), of: "a list")
        #expect(page.items?.map(\.metadata.name) == ["deep", "plain"])
        // Who wants a value of it gets none, and not the end of the stack.
        #expect(page.items?.first?.metadata.managedFields.first?.fieldsV1 == .null)
    }
}

extension JSONDecodingTests {
    @Test("a Float is read as Foundation reads it, and out of a number only")
    func float() throws {
        struct Reading: Decodable, Equatable { var value: Float }
        for text in ["1", "-0.25", "16777217", "3.4028235e38", "1e-45"] {
            let bytes = Array(#"{"value": \#(text)}"#.utf8)
            #expect(
                try JSONCoding.decode(Reading.self, from: bytes, of: "a reading")
                    == JSONDecoder().decode(Reading.self, from: Data(bytes)), "\(text)")
        }
        for text in ["true", #""1""#, "null"] {
            let bytes = Array(#"{"value": \#(text)}"#.utf8)
            #expect(throws: (any Error).self) { try JSONCoding.decode(Reading.self, from: bytes, of: "a reading") }
        }
    }
}

@Suite("Texts that many objects have")
struct TextPoolTests {
    @Test("a text is kept once, and no more than so many")
    func pool() {
        let pool = TextPool(limit: 10)
        for _ in 0..<3 { #expect(pool.copy(of: "nothing is under way") == "nothing is under way") }
        #expect(pool.count == 1)
        for text in ["short", String(repeating: "long", count: 100)] { #expect(pool.copy(of: text) == text) }
        #expect(pool.count == 1)
        for index in 0..<1000 {
            _ = pool.copy(of: "one of very many texts: \(index)")
            #expect(pool.count <= 10)
        }
    }
}
