internal import NIOCore

extension Answer {
    /// The answer as it goes over the wire, in one piece.
    ///
    /// - Parameter isLast: the connection ends after it.
    func bytes(isLast: Bool, isHEAD: Bool, _ allocator: ByteBufferAllocator) -> ByteBuffer {
        var buffer = allocator.buffer(capacity: body.count + 160)
        if status == 200 {
            buffer.writeStaticString("HTTP/1.1 200 OK\r\nContent-Type: ")
        } else {
            buffer.writeString("HTTP/1.1 \(status) \(Self.reason(status))\r\nContent-Type: ")
        }
        buffer.writeString(contentType)
        buffer.writeStaticString("\r\nContent-Length: ")
        buffer.writeString(String(body.count))
        if let header {
            buffer.writeStaticString("\r\n")
            buffer.writeString(header)
        }
        if status == 401 { buffer.writeStaticString("\r\nWWW-Authenticate: Bearer") }
        if isLast { buffer.writeStaticString("\r\nConnection: close") }
        buffer.writeStaticString("\r\n\r\n")
        if !isHEAD { buffer.writeBytes(body) }
        return buffer
    }
}
