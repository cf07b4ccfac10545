internal import EventLoop

/// Sends requests to one server, over connections that libcurl keeps and shares.
struct HTTPTransport: Sendable {
    let configuration: ClusterConfiguration
    let userAgent: String
    /// Whether requests keep off the connection that others share, as the renewal of a lease must: a connection that
    /// is busy or broken would make it late.
    let usesOwnConnection: Bool

    func send(_ request: HTTPRequest) async throws(KubernetesError) -> HTTPResponse {
        let transfer = try await Transfer(request, over: self)
        return try await whileRunning(transfer) { transfer throws(KubernetesError) in try await transfer.response() }
    }

    /// Starts a request whose answer is read as it comes. Returns once the status and the headers are there.
    func open(_ request: HTTPRequest) async throws(KubernetesError) -> Transfer {
        let transfer = try await Transfer(request, over: self)
        try await whileRunning(transfer) { transfer throws(KubernetesError) in try await transfer.head() }
        return transfer
    }
}

/// Runs `body`; cancels the transfer when the task is cancelled.
@discardableResult
func whileRunning<Value: Sendable>(
    _ transfer: Transfer, _ body: @EventLoop (Transfer) async throws(KubernetesError) -> Value
) async throws(KubernetesError) -> Value {
    do {
        return try await withTaskCancellationHandler {
            try await body(transfer)
        } onCancel: {
            // It lives for one hop to the loop, which is never blocked.
            Task { @EventLoop in transfer.cancel() }
        }
    } catch let error as KubernetesError {
        throw error
    } catch {
        throw KubernetesError(.connection, "\(error)")
    }
}
