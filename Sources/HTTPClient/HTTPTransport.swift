internal import EventLoop

/// Sends requests by libcurl, over connections that it keeps and that all transports of the process share.
///
/// Connections are shared among transports with the same TLS settings and the same proxy. Making one costs nothing.
public struct HTTPTransport: Sendable {
    let userAgent: String
    let tls: TLSSettings
    let proxy: HTTPProxy
    /// Whether requests keep off the connection that others share, as the renewal of a lease must: a connection that
    /// is busy or broken would make it late.
    let usesOwnConnection: Bool

    public init(
        userAgent: String, tls: TLSSettings = TLSSettings(), proxy: HTTPProxy = .none, usesOwnConnection: Bool = false
    ) {
        self.userAgent = userAgent
        self.tls = tls
        self.proxy = proxy
        self.usesOwnConnection = usesOwnConnection
    }

    /// Sends a request and waits for the whole answer, whatever its status. Ends early, with `cancelled`, when the task is
    /// cancelled.
    public func send(_ request: HTTPRequest) async throws(HTTPError) -> HTTPResponse {
        let transfer = try await Transfer(request, over: self)
        return try await whileRunning(transfer) { transfer throws(HTTPError) in try await transfer.response() }
    }

    /// Starts a request whose answer is read as it comes. Returns once the status and the headers are there.
    public func open(_ request: HTTPRequest) async throws(HTTPError) -> HTTPStream {
        let transfer = try await Transfer(request, over: self)
        let (status, headers) = try await whileRunning(transfer) { transfer throws(HTTPError) in
            try await transfer.head()
        }
        return HTTPStream(transfer, status: status, headers: headers)
    }
}

/// Runs `body`; cancels the transfer when the task is cancelled.
@discardableResult
func whileRunning<Value: Sendable>(
    _ transfer: Transfer, _ body: @EventLoop (Transfer) async throws(HTTPError) -> Value
) async throws(HTTPError) -> Value {
    do {
        return try await withTaskCancellationHandler {
            try await body(transfer)
        } onCancel: {
            // It lives for one hop to the loop, which is never blocked.
            Task { @EventLoop in transfer.cancel() }
        }
    } catch let error as HTTPError {
        throw error
    } catch {
        throw HTTPError(.connection, "\(error)")
    }
}
