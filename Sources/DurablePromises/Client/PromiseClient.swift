/// Whoever answers requests of the promise protocol: a store in this process, or a server elsewhere.
public protocol PromiseClient: Sendable {
    /// Does what the request asks, and answers it: a refusal is an answer.
    ///
    /// Throws when there is no answer: no database, no server. Then the request took effect as a whole or not at all, and
    /// may be repeated.
    func process(_ request: Request) async throws -> Response

    /// Does what several requests ask, as if they came one after the other, and answers each.
    ///
    /// Throws when there is no answer to one of them; some may have taken effect then, the earlier ones first. A store takes
    /// them in one transaction.
    func process(_ requests: [Request]) async throws -> [Response]

    /// What is sent to `poll://any@group` and to `poll://uni@group/id`, for as long as somebody takes it. A message comes
    /// at least once. Of two who ask for one `group` and `id` the later one gets what comes.
    ///
    /// A client that has to connect does so again by itself, for ever, and keeps the stream open meanwhile.
    func messages(group: String, id: String) -> AsyncStream<PromiseMessage>
}

extension PromiseClient {
    public func process(_ requests: [Request]) async throws -> [Response] {
        var responses: [Response] = []
        for request in requests { responses.append(try await process(request)) }
        return responses
    }
}
