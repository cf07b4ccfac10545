/// Whoever answers requests of the promise protocol: a store in this process, or a server elsewhere.
public protocol PromiseClient: Sendable {
    /// Does what the request asks, and answers it: a refusal is an answer.
    ///
    /// Throws when there is no answer: no database, no server. Then the request took effect as a whole or not at all, and
    /// may be repeated.
    func process(_ request: Request) async throws -> Response

    /// What is sent to `poll://any@group` and to `poll://uni@group/id`, for as long as somebody takes it. A message comes
    /// at least once. Of two who ask for one `group` and `id` the later one gets what comes.
    ///
    /// A client that has to connect does so again by itself, for ever, and keeps the stream open meanwhile.
    func messages(group: String, id: String) -> AsyncStream<PromiseMessage>
}
