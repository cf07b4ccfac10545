import Foundation
import SchemaChange
import Testing

@Suite("lengths of time in a spec")
struct SpecDurationTests {
    @Test(
        "are written as Kubernetes writes them",
        arguments: [
            ("40ms", .milliseconds(40)), ("10s", .seconds(10)), ("1h30m", .seconds(5400)), ("168h", .seconds(604_800)),
            ("0", .zero), ("0s", .zero), ("1.5s", .milliseconds(1500)), ("1m0.5s", .milliseconds(60_500)),
        ] as [(String, Duration)]
    )
    func good(text: String, duration: Duration) throws {
        let value = try #require(SpecDuration(text))
        #expect(value.duration == duration)
        #expect(SpecDuration(value.description) == value)
        let json = try JSONEncoder().encode([value])
        #expect(try JSONDecoder().decode([SpecDuration].self, from: json) == [value])
    }

    @Test(
        "and nothing else is one",
        arguments: [
            "", "5", "s", "-5s", "1 h", "1d", "1.2.3s", "10S", "1h30", "٣s", "1e3s", "soon", "s5", ".s",
            String(repeating: "9", count: 30) + "h", String(repeating: "9", count: 400) + "s",
        ]
    )
    func bad(text: String) {
        #expect(SpecDuration(text) == nil)
    }

    @Test("a bad one is refused with how to write it")
    func message() {
        let error = #expect(throws: DecodingError.self) {
            try JSONDecoder().decode([SpecDuration].self, from: Data(#"["soon"]"#.utf8))
        }
        #expect("\(String(describing: error))".contains("write it like 40ms"))
    }
}
