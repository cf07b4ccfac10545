/// Delivers messages to addresses that begin with `http://` or `https://`.
public protocol MessageWebhook: Sendable {
    /// Posts a message, and returns whether it was taken. Does not wait for longer than some seconds.
    func deliver(_ message: PromiseMessage, to address: String) async -> Bool
}
