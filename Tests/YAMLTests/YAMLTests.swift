import Testing
import YAML

@Suite("YAML")
struct YAMLTests {
    struct Change: Decodable, Equatable {
        var table: String
        var columns: [String: String]?
        var limit: Int?
        var share: Double?
    }

    struct Spec: Decodable, Equatable {
        var suspend: Bool
        var changes: [Change]
    }

    private func decode(_ text: String, _ unknown: YAMLDecoder.UnknownKeys = .refuse) throws -> Spec {
        try YAMLDecoder(unknownKeys: unknown).decode(Spec.self, from: text)
    }

    @Test("a manifest becomes its type, from YAML and from JSON")
    func decodes() throws {
        let expected = Spec(
            suspend: true, changes: [Change(table: "customers", columns: ["a": "1"], limit: 3, share: 2)])
        #expect(
            try decode("suspend: true\nchanges:\n- table: customers\n  columns: {a: \"1\"}\n  limit: 3\n  share: 2\n")
                == expected)
        #expect(
            try decode(#"{"suspend":true,"changes":[{"table":"customers","columns":{"a":"1"},"limit":3,"share":2}]}"#)
                == expected)
    }

    @Test(
        "scalars are those of the core schema",
        arguments: [
            ("true", "bool(true)"), ("yes", "string(\"yes\")"), ("on", "string(\"on\")"), ("~", "null"), ("", "null"),
            ("12", "int(12)"), ("+12", "int(12)"), ("0o14", "int(12)"), ("0xC", "int(12)"), ("012", "int(12)"),
            ("1_000", "string(\"1_000\")"), ("1.5", "double(1.5)"), (".5", "double(0.5)"), ("1e3", "double(1000.0)"),
            ("\"true\"", "string(\"true\")"), ("'12'", "string(\"12\")"), ("1.2.3", "string(\"1.2.3\")"),
            ("-", "string(\"-\")"), ("2026-11-23", "string(\"2026-11-23\")"), ("!!str 5", "string(\"5\")"),
            ("12:30", "string(\"12:30\")"), ("-.inf", "double(-inf)"),
        ])
    func scalars(text: String, meaning: String) throws {
        let value = try #require(try YAML.document(in: "[x, \(text)]\n".replacing("-]", with: "'-']")).sequence)
        #expect("\(value.count > 1 ? value[1].content : .null)" == meaning)
    }

    @Test(
        "errors name path, line and column",
        arguments: [
            ("suspend: yes\nchanges: []", "suspend", 1, 10),
            ("suspend: true\nchanges:\n- table: 5", "changes[0].table", 3, 10),
            ("suspend: true\nchanges:\n- tabel: a", "changes[0]", 3, 3),
            ("suspend: true\nchanges: []\nextra: 1", "", 3, 1),
            ("suspend: true\nchanges:\n- table: a\n  limit: 1.5", "changes[0].limit", 4, 10),
        ])
    func errors(text: String, path: String, line: Int, column: Int) throws {
        let error = #expect(throws: YAMLError.self) { try decode(text) }
        #expect(error?.path == path)
        #expect(error?.mark == YAMLMark(line: line, column: column), "\(String(describing: error))")
    }

    @Test("unknown keys are ignored unless they are to be refused")
    func unknownKeys() throws {
        let text = "suspend: true\nchanges: []\nextra: 1"
        #expect(try decode(text, .ignore).suspend)
        #expect(throws: YAMLError.self) { try decode(text, .refuse) }
    }

    @Test(
        "a key that is there twice is refused, and so are merge keys, foreign tags and unknown aliases",
        arguments: [
            ("a: 1\na: 2", YAMLError.Code.duplicateKey), ("a: &x {b: 1}\nc: {<<: *x}", .syntax), ("a: !x 1", .syntax),
            ("a: *x", .syntax), ("a: [", .syntax), ("? [a]\n: b", .syntax),
        ])
    func refusals(text: String, code: YAMLError.Code) {
        let error = #expect(throws: YAMLError.self) { try YAML.documents(in: text) }
        #expect(error?.code == code)
    }

    @Test("aliases repeat what they name, but not without bound")
    func aliases() throws {
        let value = try YAML.document(in: "a: &x [1, 2]\nb: *x")
        #expect(value["b"]?.sequence?.count == 2)
        var bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n"
        for level in 1..<12 {
            let aliases = Array(repeating: "*a\(level - 1)", count: 9).joined(separator: ", ")
            bomb += "a\(level): &a\(level) [\(aliases)]\n"
        }
        let error = #expect(throws: YAMLError.self) { try YAML.documents(in: bomb) }
        #expect(error?.code == .tooLarge)
    }

    @Test("documents come in order, empty ones are left out")
    func documents() throws {
        let documents = try YAML.documents(in: "# none\n---\na: 1\n---\n---\nb: 2\n...\n")
        #expect(documents.count == 2)
        #expect(documents.last?["b"] != nil)
    }
}
