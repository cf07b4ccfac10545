internal import Hummingbird
internal import NIOCore

extension Response {
    /// One line for people.
    init(text: String, status: HTTPResponse.Status = .ok) {
        self.init(text + "\n", type: "text/plain; charset=utf-8", status: status)
    }

    init(_ body: String, type: String, status: HTTPResponse.Status = .ok) {
        self.init(
            status: status, headers: [.contentType: type], body: ResponseBody(byteBuffer: ByteBuffer(string: body)))
    }
}
