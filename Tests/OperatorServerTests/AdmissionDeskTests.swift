import HTTPTypes
import Hummingbird
import HummingbirdCore
import NIOCore
import Testing

@testable import OperatorServer

@Suite("What the webhook answers to rubbish")
struct AdmissionDeskTests {
    private func status(of body: RequestBody, timeLimit: Duration = .seconds(5)) async -> Int {
        let head = HTTPRequest(method: .post, scheme: "https", authority: "hook", path: "/mutate")
        return await AdmissionDesk(timeLimit: timeLimit).answer(Request(head: head, body: body)).status.code
    }

    @Test("no review: 400")
    func rubbish() async {
        #expect(await status(of: RequestBody(buffer: ByteBuffer(string: "rubbish"))) == 400)
        #expect(await status(of: RequestBody(buffer: ByteBuffer())) == 400)
    }

    @Test("more than an object can be: 413")
    func large() async {
        let body = ByteBuffer(repeating: UInt8(ascii: " "), count: AdmissionDesk.mostBytes + 1)
        #expect(await status(of: RequestBody(buffer: body)) == 413)
    }

    @Test("a body that does not come: 408, after the time that there is")
    func slow() async {
        let (body, source) = RequestBody.makeStream()
        #expect(await status(of: body, timeLimit: .milliseconds(50)) == 408)
        source.finish()
    }
}
