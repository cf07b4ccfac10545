internal import EventLoop

/// An answer that is read as it comes. For one reader; the connection is closed when nobody holds it any more.
public final class HTTPStream: Sendable {
    public let status: Int
    /// Names in lower case; of repeated ones the last.
    public let headers: [String: String]
    private let transfer: Transfer

    init(_ transfer: Transfer, status: Int, headers: [String: String]) {
        self.transfer = transfer
        self.status = status
        self.headers = headers
    }

    /// All bytes that came since the last call; waits for some. Nil at the end. Ends early, with `cancelled`, when the task
    /// is cancelled.
    public func bytes() async throws(HTTPError) -> [UInt8]? {
        try await whileRunning(transfer) { transfer throws(HTTPError) in try await transfer.bytes() }
    }

    /// From now on it may be silent for so long, instead of what the request said.
    public func allow(silence: Duration) async {
        await transfer.allow(silence: silence)
    }

    /// Waits for the end, and gives what was not read yet: for an answer that says no.
    public func rest() async throws(HTTPError) -> [UInt8] {
        try await whileRunning(transfer) { transfer throws(HTTPError) in try await transfer.response().body }
    }

    deinit {
        let transfer = transfer
        // It lives for one hop to the loop, which is never blocked.
        Task { @EventLoop in transfer.cancel() }
    }
}
