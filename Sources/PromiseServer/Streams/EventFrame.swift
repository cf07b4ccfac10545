internal import DurablePromises
internal import NIOCore

/// Server-sent events (the HTML standard, 9.2), as the protocol's clients read them: they know LF and no CR, and throw
/// away a frame that is cut within a character, so that everything is ASCII.
enum EventFrame {
    static func message(_ message: PromiseMessage, serverURL: String?) -> ByteBuffer {
        let json = message.json(serverURL: serverURL)
        var buffer = ByteBufferAllocator().buffer(capacity: json.count + 8)
        buffer.writeStaticString("data: ")
        buffer.writeBytes(json)
        buffer.writeStaticString("\n\n")
        return buffer
    }

    /// A comment, which says that the stream is there.
    static let ping = ByteBuffer(staticString: ": ping\n\n")
}
