internal import NIOCore

/// What belongs to a connection as long as it is a stream.
struct OpenStream {
    let name: StreamRegistry.Name
    let number: Int
    let registry: StreamRegistry
    /// Whether what is sent is cut into chunks, so that the client knows an end from a cut.
    let isChunked: Bool
    let delivering: Task<Void, Never>?
    let pinging: RepeatedTask?
    let rotation: Scheduled<Void>?

    /// Nothing is sent any more.
    func stop() {
        delivering?.cancel()
        pinging?.cancel()
        rotation?.cancel()
        registry.leave(name, number: number)
    }

    /// A piece of the stream, as it goes over the wire.
    func piece(_ frame: ByteBuffer) -> ByteBuffer {
        guard isChunked else { return frame }
        var chunk = ByteBufferAllocator().buffer(capacity: frame.readableBytes + 16)
        chunk.writeString(String(frame.readableBytes, radix: 16))
        chunk.writeStaticString("\r\n")
        chunk.writeImmutableBuffer(frame)
        chunk.writeStaticString("\r\n")
        return chunk
    }
}
