internal import DurablePromises
internal import NIOCore

extension Connection {
    /// Opens a stream, if its client may have one.
    func open(_ name: StreamRegistry.Name, _ head: RequestHead) {
        let authenticator = service.desk.authenticator
        run { connection in
            do throws(AuthenticationFailure) {
                _ = try await authenticator?.access(head.bearer)
            } catch {
                return connection.value.send(Answer(error.status, error: error.message), to: head)
            }
            connection.value.begin(name, head)
        }
    }

    private func begin(_ name: StreamRegistry.Name, _ head: RequestHead) {
        // The client may have gone, and the server may be stopping.
        guard case .answering = phase, let loop, !isStopping else {
            return send(Answer(503, error: "the server is stopping; try again"), to: head)
        }
        let bound = NIOLoopBound(self, eventLoop: loop)
        let entry = service.streams.enter(name) { loop.execute { bound.value.endStream() } }
        guard case .open(let number) = entry else {
            let full = Answer(
                503, error: "the server has as many streams as it takes; try again", header: "Retry-After: 5")
            return send(full, to: head)
        }
        let limits = service.limits
        let ping = TimeAmount(limits.pingInterval)
        let serverURL = service.url ?? head.host.map { "http://\($0)" }
        let isChunked = head.takesChunks
        write(
            ByteBuffer(
                string: """
                    HTTP/1.1 200 OK\r
                    Content-Type: text/event-stream\r
                    Cache-Control: no-store\r
                    \(isChunked ? "Transfer-Encoding: chunked\r\n" : "")Connection: close\r
                    \r

                    """
            )
        )
        let deliveries = service.desk.promises.deliveries(group: name.group, id: name.id)
        let metrics = service.desk.metrics
        phase = .streaming(
            OpenStream(
                name: name,
                number: number,
                registry: service.streams,
                isChunked: isChunked,
                delivering: run { connection in
                    for await delivery in deliveries {
                        metrics.took(delivery.message)
                        guard await connection.value.deliver(delivery.message, serverURL) else {
                            metrics.delivered("failed")
                            break
                        }
                        delivery.acknowledge()
                        metrics.delivered("delivered")
                    }
                    connection.value.endStream(number)
                },
                pinging: loop.scheduleRepeatedTask(initialDelay: ping, delay: ping) { _ in
                    bound.value.sendPiece(EventFrame.ping)
                },
                rotation: loop.scheduleTask(in: TimeAmount(limits.streamDuration)) { bound.value.endStream(number) }
            )
        )
    }

    /// Writes a message; false when the stream has ended, or ended before it was written.
    private func deliver(_ message: PromiseMessage, _ serverURL: String?) async -> Bool {
        guard case .streaming = phase, let loop else { return false }
        let written = loop.makePromise(of: Void.self)
        sendPiece(EventFrame.message(message, serverURL: serverURL), promise: written)
        do {
            try await written.futureResult.get()
            return true
        } catch {
            return false
        }
    }

    private func sendPiece(_ frame: ByteBuffer, promise: EventLoopPromise<Void>? = nil) {
        guard case .streaming(let stream) = phase else {
            promise?.fail(ChannelError.ioOnClosedChannel)
            return
        }
        write(stream.piece(frame), promise: promise)
    }

    /// Ends the stream in good order: its client connects again.
    func endStream(_ number: Int? = nil) {
        guard case .streaming(let stream) = phase, number == nil || number == stream.number else { return }
        stream.stop()
        if stream.isChunked { write(ByteBuffer(staticString: "0\r\n\r\n")) }
        end()
    }
}
