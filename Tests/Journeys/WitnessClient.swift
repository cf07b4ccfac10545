public import DurablePromises

/// How somebody saw a settled promise: it will never look otherwise.
public struct Sighting: Codable, Sendable, Hashable {
    public var id: String
    public var state: String
    public var data: String?
    /// Milliseconds since 1970.
    public var settledAt: Int64

    public init(id: String, state: String, data: String?, settledAt: Int64) {
        self.id = id
        self.state = state
        self.data = data
        self.settledAt = settledAt
    }

    /// Nil while the promise is pending.
    init?(_ promise: PromiseRecord) {
        guard promise.state != .pending else { return nil }
        self.init(
            id: promise.id, state: promise.state.rawValue, data: promise.value.data, settledAt: promise.settledAt ?? -1)
    }
}

/// A promise client that notes every settled promise that it is shown, in an answer or a message.
public struct WitnessClient: PromiseClient {
    private let client: any PromiseClient
    private let note: @Sendable (Sighting) -> Void

    public init(_ client: any PromiseClient, note: @escaping @Sendable (Sighting) -> Void) {
        self.client = client
        self.note = note
    }

    public func process(_ request: Request) async throws -> Response {
        let response = try await client.process(request)
        look(response.data)
        return response
    }

    public func process(_ requests: [Request]) async throws -> [Response] {
        let responses = try await client.process(requests)
        for response in responses { look(response.data) }
        return responses
    }

    public func messages(group: String, id: String) -> AsyncStream<PromiseMessage> {
        let messages = client.messages(group: group, id: id)
        return AsyncStream { continuation in
            // It ends when nobody takes messages any more.
            let task = Task {
                for await message in messages {
                    if case .unblock(let promise) = message { look(promise) }
                    continuation.yield(message)
                }
                continuation.finish()
            }
            continuation.onTermination = { _ in task.cancel() }
        }
    }

    private func look(_ data: ResponseData) {
        if let promise = data.promise { look(promise) }
        for promise in data.preload ?? [] { look(promise) }
        for promise in data.promises ?? [] { look(promise) }
        if let inner = data.action { look(inner.data) }
    }

    private func look(_ promise: PromiseRecord) {
        if let sighting = Sighting(promise) { note(sighting) }
    }
}
