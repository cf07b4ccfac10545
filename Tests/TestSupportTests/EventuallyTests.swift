import TestSupport
import Testing

@Suite("eventually")
struct EventuallyTests {
    @Test("asks until the condition holds")
    func holds() async throws {
        var asked = 0
        try await eventually("the third time", every: .milliseconds(1)) {
            asked += 1
            return asked == 3
        }
        #expect(asked == 3)
    }

    @Test("returns the first value that is not nil")
    func value() async throws {
        var asked = 0
        let value = try await eventually("a value", every: .milliseconds(1)) { () -> Int? in
            asked += 1
            return asked == 2 ? 42 : nil
        }
        #expect(value == 42)
    }

    @Test("an error is not yet; the failure names what was waited for, and the last error")
    func failure() async throws {
        struct Refused: Error {}
        let failure = await #expect(throws: TestFailure.self) {
            try await eventually("the server answers", within: .milliseconds(20), every: .milliseconds(1)) {
                () -> Bool in
                throw Refused()
            }
        }
        #expect(failure?.description.contains("the server answers") == true)
        #expect(failure?.description.contains("Refused") == true)
    }

    @Test("the failure shows the last value")
    func lastValue() async throws {
        let failure = await #expect(throws: TestFailure.self) {
            try await eventually("enough", within: .milliseconds(20), every: .milliseconds(1)) {
                7
            } until: {
                $0 > 7
            }
        }
        #expect(failure?.description.contains("last seen: 7") == true)
    }
}
