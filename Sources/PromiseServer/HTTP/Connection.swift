internal import DurablePromises
internal import NIOCore
internal import NIOHTTP1

/// One client's connection: takes its requests one after the other, and sends the answers or a stream of events.
///
/// Answers are written as bytes, head and body at once, without going through a general encoder: that is half of the work
/// which a request makes here.
final class Connection: ChannelDuplexHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias OutboundIn = IOData
    typealias OutboundOut = IOData

    enum Phase {
        /// For the head of a request.
        case waiting
        /// The rest of a request.
        case reading(RequestHead, body: ByteBuffer)
        /// Somebody works on the answer.
        case answering
        case streaming(OpenStream)
        /// The last answer is written: what still comes is thrown away until the client closes as well. It might not read
        /// the answer if the connection were cut while it sends.
        case ending
    }

    let service: ConnectionService
    var phase = Phase.waiting
    private var context: ChannelHandlerContext?
    private var executor: LoopExecutor?
    private var deadline: Deadline?

    /// What came while the request before it was being answered.
    private var pending = CircularBuffer<HTTPServerRequestPart>()
    private var isDraining = false
    private var hasUnansweredRead = false
    /// Whether the present request's time is running.
    private var isTimed = false
    /// How many bytes of answers waited for the client at the last look.
    private var unread = 0
    private(set) var isStopping = false
    /// Whether the client sends nothing more; it may still read.
    private var hasClientEnded = false
    private let isRefused: Bool

    private static let mostPending = 64
    /// How long a client that has been sent everything may take to close.
    private static let lingering = Duration.seconds(2)

    /// - Parameter isRefused: there are too many connections, and the client is told so.
    init(_ service: ConnectionService, isRefused: Bool) {
        self.service = service
        self.isRefused = isRefused
    }

    // MARK: The channel

    func handlerAdded(context: ChannelHandlerContext) {
        let bound = NIOLoopBound(self, eventLoop: context.eventLoop)
        self.context = context
        executor = LoopExecutor(context.eventLoop)
        deadline = Deadline(context.eventLoop) { bound.value.deadlineFired() }
    }

    func channelActive(context: ChannelHandlerContext) {
        deadline?.move(to: service.limits.requestTimeout)
        if isRefused { refuse(Answer(503, error: "the server has as many connections as it takes; try again")) }
        context.fireChannelActive()
    }

    func channelInactive(context: ChannelHandlerContext) {
        if case .streaming(let stream) = phase { stream.stop() }
        phase = .ending
        pending.removeAll()
        deadline?.cancel()
        context.fireChannelInactive()
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        self.context = nil
        executor = nil
        deadline = nil
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let part = unwrapInboundIn(data)
        switch phase {
        case .waiting, .reading:
            if pending.isEmpty { take(part) } else { pending.append(part) }
        case .answering: pending.append(part)
        case .streaming, .ending: break
        }
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        if case .reading = phase, !isTimed {
            isTimed = true
            deadline?.move(to: service.limits.requestTimeout)
        }
        context.fireChannelReadComplete()
    }

    /// Whoever sends on without waiting for answers is read no further for a while.
    func read(context: ChannelHandlerContext) {
        if pending.count < Self.mostPending { context.read() } else { hasUnansweredRead = true }
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        drain()
        context.fireChannelWritabilityChanged()
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        switch event {
        case is ConnectionShouldEnd:
            isStopping = true
            switch phase {
            case .waiting where pending.isEmpty: closeWhenWritten()
            case .waiting, .reading, .answering, .ending: break
            case .streaming: endStream()
            }
        case ChannelEvent.inputClosed:
            hasClientEnded = true
            switch phase {
            // What it sent before is answered.
            case .answering: break
            case .waiting where !pending.isEmpty: break
            case .waiting: closeWhenWritten()
            case .reading, .streaming, .ending: context.close(promise: nil)
            }
        default: context.fireUserInboundEventTriggered(event)
        }
    }

    private func closeWhenWritten() {
        if waitingBytes > 0 { end() } else { context?.close(promise: nil) }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        guard let error = error as? HTTPParserError else { return context.close(promise: nil) }
        switch phase {
        case .waiting, .reading:
            refuse(
                error == .headerOverflow
                    ? Answer(431, error: "the head of the request is too long")
                    : Answer(400, error: "this is not HTTP")
            )
        case .answering, .streaming, .ending: context.close(promise: nil)
        }
    }

    private func deadlineFired() {
        guard deadline?.hasPassed() ?? false else { return }
        switch phase {
        case .reading: refuse(Answer(408, error: "the request did not come to its end in time"))
        case .waiting, .ending:
            let before = unread
            giveTime(service.limits.idleTimeout)
            if unread >= before { context?.close(promise: nil) }
        case .answering, .streaming: break
        }
    }

    // MARK: Requests

    private func drain() {
        guard !isDraining else { return }
        isDraining = true
        defer { isDraining = false }
        while !pending.isEmpty, context?.channel.isWritable ?? false {
            switch phase {
            case .waiting, .reading: take(pending.removeFirst())
            case .answering: return
            case .streaming, .ending: pending.removeAll()
            }
        }
        if hasUnansweredRead, pending.count < Self.mostPending {
            hasUnansweredRead = false
            context?.read()
        }
    }

    private func take(_ part: HTTPServerRequestPart) {
        switch (part, phase) {
        case (.head(let head), _):
            let head = RequestHead(head)
            phase = .reading(head, body: ByteBuffer())
            if let bytes = head.bodyBytes, bytes > service.limits.bodyBytes { return refuse(tooLong) }
            if head.awaitsContinue { write(ByteBuffer(staticString: "HTTP/1.1 100 Continue\r\n\r\n")) }
        case (.body(let more), .reading(let head, var body)):
            // Nobody else may hold the buffer while it grows, or it is copied.
            phase = .waiting
            if body.readableBytes == 0 { body = more } else { body.writeImmutableBuffer(more) }
            phase = .reading(head, body: body)
            if body.readableBytes > service.limits.bodyBytes { refuse(tooLong) }
        case (.end, .reading(let head, let body)):
            phase = .answering
            isTimed = false
            deadline?.clear()
            serve(head, body)
        case (.body, _), (.end, _): break
        }
    }

    private var tooLong: Answer { service.tooLong }

    private func serve(_ head: RequestHead, _ body: ByteBuffer) {
        switch service.plan(head) {
        case .answer(let answer): send(answer, to: head)
        case .desk(let desk):
            let bearer = head.bearer
            work(head) { await desk.answer(body, bearer: bearer) }
        case .page(let page): work(head, page)
        case .stream(let name): open(name, head)
        }
    }

    /// Has something answer on this thread, while other connections go on.
    private func work(_ head: RequestHead, _ body: @escaping @Sendable () async -> Answer) {
        run { connection in
            let answer = await body()
            connection.value.send(answer, to: head)
        }
    }

    /// Runs a task on the connection's thread.
    @discardableResult
    func run(_ body: @escaping @Sendable (NIOLoopBound<Connection>) async -> Void) -> Task<Void, Never>? {
        guard let context, let executor else { return nil }
        let bound = NIOLoopBound(self, eventLoop: context.eventLoop)
        let work = service.work
        work.began()
        return Task(executorPreference: executor) {
            await body(bound)
            work.ended()
        }
    }

    // MARK: Answers

    /// Answers, and goes on with what comes next.
    func send(_ answer: Answer, to head: RequestHead) {
        guard case .answering = phase else { return }
        let isLast = answer.isLast || isStopping || !head.isKeptAlive || hasClientEnded && pending.isEmpty
        write(answer.bytes(isLast: isLast, isHEAD: head.isHEAD, context?.channel.allocator ?? ByteBufferAllocator()))
        guard !isLast else { return end() }
        phase = .waiting
        giveTime(service.limits.idleTimeout)
        drain()
    }

    /// Answers without having read the whole request: nothing more can be read after it.
    private func refuse(_ answer: Answer) {
        write(answer.bytes(isLast: true, isHEAD: false, context?.channel.allocator ?? ByteBufferAllocator()))
        end()
    }

    /// Says that nothing more is sent, once everything is, and closes when the client has done so too, or a little later.
    func end() {
        phase = .ending
        pending.removeAll()
        guard let context else { return }
        giveTime(Self.lingering)
        let bound = NIOLoopBound(self, eventLoop: context.eventLoop)
        let closed = context.eventLoop.makePromise(of: Void.self)
        closed.futureResult.whenComplete { _ in bound.value.giveTime(Self.lingering) }
        context.close(mode: .output, promise: closed)
    }

    /// Gives the client time: for what it does next, or as long as something waits for it, to take some of that.
    private func giveTime(_ time: Duration) {
        unread = waitingBytes
        deadline?.move(to: unread > 0 ? service.limits.requestTimeout : time)
    }

    /// What is written, and has not gone to the client.
    private var waitingBytes: Int {
        (try? context?.channel.syncOptions?.getOption(.bufferedWritableBytes)) ?? 0
    }

    func write(_ buffer: ByteBuffer, promise: EventLoopPromise<Void>? = nil) {
        guard let context else {
            promise?.fail(ChannelError.ioOnClosedChannel)
            return
        }
        context.writeAndFlush(wrapOutboundOut(.byteBuffer(buffer)), promise: promise)
    }

    var loop: (any EventLoop)? { context?.eventLoop }
}
