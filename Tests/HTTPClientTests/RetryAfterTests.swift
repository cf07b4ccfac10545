import Foundation
import HTTPClient
import Testing

@Suite("Retry-After")
struct RetryAfterTests {
    @Test(
        "is a number of seconds, or a date in any of the three formats",
        arguments: [
            ("0", Duration.seconds(0)), ("120", .seconds(120)),
            ("Sun, 06 Nov 1994 08:49:37 GMT", .seconds(37)), ("Sunday, 06-Nov-94 08:49:37 GMT", .seconds(37)),
            ("Sun Nov  6 08:49:37 1994", .seconds(37)), ("Sun, 06 Nov 1994 08:48:00 GMT", .zero),
            ("Sat, 05 Nov 1994 08:49:37 GMT", .zero),
        ])
    func meanings(text: String, duration: Duration) {
        let date = Date(timeIntervalSince1970: 784_111_740)
        #expect(HTTPResponse(status: 503, headers: ["retry-after": text], body: []).retryAfter(at: date) == duration)
    }

    @Test(
        "is nothing where it cannot be read", arguments: ["", "-1", "1.5", "soon", "99999999999999999999", "٣", "12 h"])
    func rubbish(text: String) {
        #expect(HTTPResponse(status: 503, headers: ["retry-after": text], body: []).retryAfter(at: Date()) == nil)
    }
}
