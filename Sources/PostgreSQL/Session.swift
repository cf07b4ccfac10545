internal import CPostgres
internal import Dispatch
internal import EventLoop
internal import Logging
internal import Synchronization

/// A libpq connection on the loop, with the queue of what is asked of it: one operation at a time, first come first
/// served.
@EventLoop
final class Session {
    nonisolated let configuration: PostgresConfiguration
    nonisolated let processID: Int32
    nonisolated let isClosed = Atomic(false)

    private var handle: OpaquePointer?
    private var watch: Watch?
    private var running: Operation?
    private var queue: [Operation] = []
    private let names = PreparedNames()
    private var listeners: [AsyncStream<PostgresNotification>.Continuation] = []
    private var end = PostgresError.closed
    private var isWatched = false
    private var deadline: LoopTimer?

    /// How long a server has to answer an operation after it was cancelled.
    private nonisolated static let cancelPatience: Duration = .seconds(3)

    private nonisolated static let logger = Logger(label: "sluice.postgresql")

    /// Takes over a connection that is made.
    init(_ handle: OpaquePointer, _ configuration: PostgresConfiguration) {
        self.handle = handle
        self.configuration = configuration
        processID = PQbackendPID(handle)
        PQsetnonblocking(handle, 1)
        watch = EventLoop.watch(PQsocket(handle), for: .readable) { [weak self] _ in self?.advance() }
        if let instant = configuration.deadline {
            deadline = EventLoop.schedule(after: max(.zero, instant - .now)) { [weak self] in self?.giveUpInTheEnd() }
        }
    }

    /// Notices are for people at a terminal.
    nonisolated static func discard(notice text: UnsafePointer<CChar>?) {
        logger.debug("\(PostgresError.oneLine(text))")
    }

    // MARK: What others ask

    /// Runs `work` when its turn comes. When the caller's task is cancelled so is the statement, on the server too,
    /// unless `isCancellable` is false.
    nonisolated func perform(
        _ work: Operation.Work,
        isCancellable: Bool = true
    ) async throws(PostgresError) -> [Operation.Outcome] {
        let operation = Operation(work)
        if let flaw = operation.flaw { throw flaw }
        return try await run(operation, isCancellable: isCancellable).get()
    }

    /// Isolated as a whole: the closures of a cancellation handler run on the loop only where they can be seen to.
    private func run(_ operation: Operation, isCancellable: Bool) async -> Result<[Operation.Outcome], PostgresError> {
        guard isCancellable else { return await enqueue(operation) }
        return await withTaskCancellationHandler {
            await enqueue(operation)
        } onCancel: {
            Task { @EventLoop in cancel(operation) }
        }
    }

    private func enqueue(_ operation: Operation) async -> Result<[Operation.Outcome], PostgresError> {
        await withCheckedContinuation { continuation in
            operation.continuation = continuation
            if handle == nil { return operation.resume(.failure(end)) }
            if operation.isCancelled { return operation.resume(.failure(.cancelled)) }
            queue.append(operation)
            startNext()
        }
    }

    var transactionStatus: PGTransactionStatusType {
        handle.map { PQtransactionStatus($0) } ?? PQTRANS_UNKNOWN
    }

    var isBusy: Bool {
        running != nil || !queue.isEmpty
    }

    func listen(_ continuation: AsyncStream<PostgresNotification>.Continuation) {
        if handle == nil { continuation.finish() } else { listeners.append(continuation) }
    }

    func close() {
        lose(.closed)
    }

    // MARK: The queue

    private func startNext() {
        guard running == nil, !queue.isEmpty, let handle else { return }
        let operation = queue.removeFirst()
        running = operation
        watchRunning(operation)
        guard operation.send(on: handle, names) else {
            // A pipeline of which a part is sent cannot be taken back.
            return lose(PostgresError(losing: configuration, last: nil, PQerrorMessage(handle)))
        }
        advance()
    }

    private func cancel(_ operation: Operation) {
        operation.isCancelled = true
        if let index = queue.firstIndex(where: { $0 === operation }) {
            queue.remove(at: index)
            operation.resume(.failure(.cancelled))
        } else if running === operation, !operation.isAnswered {
            requestCancel(operation)
        }
    }

    /// `PQcancel` makes a connection of its own and blocks until the server has passed the request on.
    private func requestCancel(_ operation: Operation) {
        guard let handle, let request = PQgetCancel(handle) else { return }
        operation.isCancelRequestUnderWay = true
        EventLoop.schedule(after: Self.cancelPatience) { [weak self] in self?.giveUp(operation) }
        let cancel = CancelRequest(pointer: request)
        DispatchQueue.global().async {
            cancel.send()
            Task { @EventLoop in
                operation.isCancelRequestUnderWay = false
                self.finishRunning()
            }
        }
    }

    /// A server that has not answered a cancelled operation by now may be dead, and its connection is no use to anybody.
    private func giveUp(_ operation: Operation) {
        guard running === operation else { return }
        operation.resume(.failure(.cancelled))
        lose(PostgresError(.connection, "the server did not answer a request to cancel; the connection was given up"))
    }

    // MARK: The server's time

    /// One timer at a time is enough: it is set again for whatever runs when it fires.
    private func watchRunning(_ operation: Operation) {
        guard let timeout = configuration.answerTimeout else { return }
        operation.began = .now
        if !isWatched { look(after: timeout, timeout) }
    }

    private func look(after delay: Duration, _ timeout: Duration) {
        isWatched = true
        EventLoop.schedule(after: delay) { [weak self] in
            guard let self else { return }
            isWatched = false
            guard let running, let began = running.began else { return }
            let rest = began + timeout - .now
            if rest > .zero { return look(after: rest, timeout) }
            lose(
                PostgresError(
                    .connection,
                    "\(configuration) did not answer within \(timeout); whether it did what it was asked is not known"))
        }
    }

    /// Even what nobody can cancel any more, such as a `COMMIT`, ends here, and without a request to cancel: whoever is
    /// silent does not answer that, either.
    private func giveUpInTheEnd() {
        lose(
            PostgresError(
                .connection,
                "\(configuration) did not answer in time; whether it did what it was asked is not known"))
    }

    // MARK: The socket

    /// One turn: write what is waiting, read what has come, and see whether that completes anything.
    private func advance() {
        guard let handle else { return }
        let isUnsent = PQflush(handle) == 1
        watch?.interest = isUnsent ? [.readable, .writable] : .readable
        let isAlive = PQconsumeInput(handle) == 1
        while let running, !running.isAnswered, PQisBusy(handle) == 0 {
            running.take(PQgetResult(handle))
            // A pipeline whose connection is lost has no end: libpq answers with nothing, again and again.
            if running.failure?.code == .protocolViolation || PQstatus(handle) == CONNECTION_BAD { break }
        }
        publishNotifications(handle)
        if !isAlive || PQstatus(handle) == CONNECTION_BAD || running?.failure?.code == .protocolViolation {
            return lose(PostgresError(losing: configuration, last: running?.failure, PQerrorMessage(handle)))
        }
        if PQflush(handle) == 1 { watch?.interest = [.readable, .writable] }
        finishRunning()
    }

    private func finishRunning() {
        guard let handle, let operation = running, operation.isAnswered, !operation.isCancelRequestUnderWay else {
            return
        }
        if operation.isPipeline && PQexitPipelineMode(handle) == 0 {
            return lose(PostgresError(losing: configuration, last: nil, PQerrorMessage(handle)))
        }
        running = nil
        names.note(operation.prepared)
        operation.resume(.success(operation.outcomes))
        startNext()
    }

    private func publishNotifications(_ handle: OpaquePointer) {
        while let message = PQnotifies(handle) {
            let notification = PostgresNotification(
                channel: String(cString: message.pointee.relname),
                payload: String(cString: message.pointee.extra),
                processID: message.pointee.be_pid
            )
            PQfreemem(message)
            for listener in listeners { listener.yield(notification) }
        }
    }

    /// The end of the session: everybody who waits is told, and everybody who comes later.
    private func lose(_ error: PostgresError) {
        guard let handle else { return }
        end = error
        isClosed.store(true, ordering: .releasing)
        watch?.cancel()
        deadline?.cancel()
        PQfinish(handle)
        self.handle = nil
        let waiting = (running.map { [$0] } ?? []) + queue
        running = nil
        queue = []
        for operation in waiting { operation.resume(.failure(error)) }
        for listener in listeners { listener.finish() }
        listeners = []
    }
}

/// libpq's record of how to cancel, which owes nothing to the connection: `PQcancel` may be called by any thread.
private struct CancelRequest: @unchecked Sendable {
    let pointer: OpaquePointer

    func send() {
        var reason = [CChar](repeating: 0, count: 256)
        _ = PQcancel(pointer, &reason, Int32(reason.count))
        PQfreeCancel(pointer)
    }
}
