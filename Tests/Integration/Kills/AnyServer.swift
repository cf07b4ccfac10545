import DurablePromises

/// Asks whichever of several servers answers, as often as it takes: what it asks may be asked twice.
struct AnyServer: PromiseClient {
    private let clients: [any PromiseClient]

    init(_ clients: [any PromiseClient]) {
        self.clients = clients
    }

    func process(_ request: Request) async throws -> Response {
        while true {
            for client in clients.shuffled() {
                if let response = try? await client.process(request), response.status < 500 { return response }
                try await Task.sleep(for: .milliseconds(50))
            }
        }
    }

    func messages(group: String, id: String) -> AsyncStream<PromiseMessage> {
        // Of one of them, for they are not all at once.
        clients[0].messages(group: group, id: id)
    }
}
