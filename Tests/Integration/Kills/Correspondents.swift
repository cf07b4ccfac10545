import DurablePromises
import Synchronization
import TestSupport

/// Those who listen for promises that others settle: a stream of messages at each server, and letters to all of them.
///
/// Nobody who listens dies, so each letter has to arrive: at least once, whoever is killed on its way.
final class Correspondents: Sendable {
    private struct State {
        var isOver = false
        var count = 0
        /// Whoever listened before the end has to be told.
        var posted: Set<String> = []
        var arrived: Set<String> = []
    }

    private let servers: [any PromiseClient]
    private let client: any PromiseClient
    private let name = uniqueName("reader")
    private let state = Mutex(State())

    /// - Parameters:
    ///   - servers: each server's, for messages.
    ///   - client: for requests.
    init(_ servers: [any PromiseClient], client: any PromiseClient) {
        self.servers = servers
        self.client = client
    }

    /// Reads until the task is cancelled; writes, so many at a time, until they are told to stop.
    func run(_ width: Int) async {
        await withTaskGroup(of: Void.self) { group in
            for (number, server) in servers.enumerated() { group.addTask { await self.read(number, server) } }
            for _ in 0..<width {
                group.addTask { while !Task.isCancelled, let number = self.next() { try? await self.write(number) } }
            }
        }
    }

    /// No letter is written any more.
    func stop() { state.withLock { $0.isOver = true } }

    /// Letters that have not arrived.
    var underWay: [String] { state.withLock { $0.posted.subtracting($0.arrived).sorted() } }
    var arrived: Int { state.withLock { $0.arrived.count } }

    private func next() -> Int? {
        state.withLock { state in
            if state.isOver { return nil }
            state.count += 1
            return state.count
        }
    }

    private func write(_ number: Int) async throws {
        let id = "letter-\(number)"
        _ = try await client.createPromise(id: id, timeoutAt: .max / 2, tags: [PromiseTag.external: "true"])
        let address = "poll://uni@readers/\(name)-\(number % servers.count)"
        let promise = try await client.registerListener(on: id, address: address)
        if promise.state == .pending { state.withLock { _ = $0.posted.insert(id) } }
        _ = try await client.settlePromise(id: id, state: .resolved, value: PromiseValue(data: "\(number)"))
        // Whoever comes later changes nothing.
        _ = try await client.settlePromise(id: id, state: .rejected)
        try await Task.sleep(for: .milliseconds(20))
    }

    private func read(_ number: Int, _ server: any PromiseClient) async {
        for await message in server.messages(group: "readers", id: "\(name)-\(number)") {
            if case .unblock(let promise) = message { state.withLock { _ = $0.arrived.insert(promise.id) } }
        }
    }
}
