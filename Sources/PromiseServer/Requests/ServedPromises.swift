public import DurablePromises

/// What a server serves: answers, and messages that count as delivered only when they were written to somebody.
public protocol ServedPromises: PromiseClient {
    /// As ``PromiseClient/messages(group:id:)``. A message that is not acknowledged is delivered again.
    func deliveries(group: String, id: String) -> AsyncStream<MessageDelivery>
}

extension PromiseStore: ServedPromises {}
