internal import CCurl
internal import EventLoop
internal import Foundation

/// One request of libcurl's, from start to end, on the loop.
///
/// Whoever waits is resumed in ``wake()`` only, once. There is one waiter at a time.
@EventLoop
final class Transfer {
    private enum State {
        case running
        case ended(HTTPError?)
    }

    private enum Milestone { case head, bytes, end }

    private let request: HTTPRequest
    private let easy: EasyHandle
    private var state = State.running
    private var status = 0
    private var headers: [String: String] = [:]
    private var hasHead = false
    private var received: [UInt8] = []
    private var overflowed = false
    private var waiter: (milestone: Milestone, continuation: CheckedContinuation<Void, Never>)?
    private var lastArrival = ContinuousClock.now
    private var idle: Duration?
    private var idleTimer: LoopTimer?
    private var retained: Unmanaged<Transfer>?

    init(_ request: HTTPRequest, over transport: HTTPTransport) throws(HTTPError) {
        self.request = request
        idle = request.idle
        easy = try EasyHandle(request, over: transport)
        // libcurl holds this object until the transfer ends, in `finish`.
        let retained = Unmanaged.passRetained(self)
        self.retained = retained
        easy.deliver(to: retained.toOpaque())
        EventLoop.start(easy.handle) { [unowned self] code in finish(easy.error(code, request: request)) }
        watchSilence()
    }

    // MARK: For whoever waits

    /// Waits for the answer's end.
    func response() async throws(HTTPError) -> HTTPResponse {
        try await wait(for: .end)
        return HTTPResponse(status: status, headers: headers, body: received)
    }

    /// Waits for the status and the headers.
    func head() async throws(HTTPError) -> (status: Int, headers: [String: String]) {
        try await wait(for: .head)
        return (status, headers)
    }

    /// All bytes that came since the last call; waits for some. Nil at the end.
    func bytes() async throws(HTTPError) -> [UInt8]? {
        try await wait(for: .bytes)
        guard !received.isEmpty else { return nil }
        defer { received = [] }
        return received
    }

    /// From now on it may be silent for so long.
    func allow(silence: Duration) {
        guard case .running = state else { return }
        idle = silence
        idleTimer?.cancel()
        watchSilence()
    }

    /// Ends it. May be repeated.
    func cancel() {
        finish(.cancelled)
    }

    private func wait(for milestone: Milestone) async throws(HTTPError) {
        if !isReached(milestone) {
            precondition(waiter == nil, "two tasks wait for one transfer")
            await withCheckedContinuation { waiter = (milestone, $0) }
        }
        // What came before the end is handed out first.
        if milestone == .bytes, !received.isEmpty { return }
        if case .ended(let error?) = state { throw error }
    }

    private func isReached(_ milestone: Milestone) -> Bool {
        if case .ended = state { return true }
        return switch milestone {
        case .head: hasHead
        case .bytes: !received.isEmpty
        case .end: false
        }
    }

    private func wake() {
        guard let waiter, isReached(waiter.milestone) else { return }
        self.waiter = nil
        waiter.continuation.resume()
    }

    // MARK: From libcurl

    /// One header line. An empty one ends the head, unless the status was a provisional one.
    func receive(header line: String) {
        lastArrival = .now
        if line.hasPrefix("HTTP/") {
            status = line.split(separator: " ").dropFirst().first.flatMap { Int($0) } ?? 0
            headers = [:]
        } else if line.isEmpty {
            hasHead = status >= 200
            wake()
        } else if let colon = line.firstIndex(of: ":") {
            headers[line[..<colon].lowercased()] = String(line[line.index(after: colon)...]).trimmingCharacters(
                in: .whitespaces)
        }
    }

    /// Bytes of the body. Returns false to end the transfer.
    func receive(body bytes: UnsafeRawBufferPointer) -> Bool {
        lastArrival = .now
        guard received.count + bytes.count <= request.mostBytes else {
            overflowed = true
            return false
        }
        received.append(contentsOf: bytes)
        wake()
        return true
    }

    private func finish(_ error: HTTPError?) {
        guard case .running = state else { return }
        state = .ended(overflowed ? HTTPError(.connection, tooMuch) : error)
        EventLoop.stop(easy.handle)
        easy.close()
        idleTimer?.cancel()
        wake()
        retained?.release()
        retained = nil
    }

    private var tooMuch: String {
        "\(request.name): more than \(request.mostBytes >> 20) MB arrived before they were read"
    }

    // MARK: Silence

    /// A connection that is half open delivers nothing, and no error either.
    private func watchSilence() {
        guard let idle else { return }
        let remaining = idle - (ContinuousClock.now - lastArrival)
        guard remaining > .zero else {
            finish(HTTPError(.timeout, "\(request.name): the server was silent for \(idle)"))
            return
        }
        idleTimer = EventLoop.schedule(after: remaining) { [weak self] in self?.watchSilence() }
    }
}
