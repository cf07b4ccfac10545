import DurablePromises
import Synchronization

/// A promise client that fails at one of its requests: before it takes effect, after it, or in the middle of several.
final class FaultyClient: PromiseClient {
    struct Fault: Sendable, Hashable, CustomStringConvertible {
        enum Effect: String, Sendable, CaseIterable { case none, half, all }

        /// Which request it is, counted from 1, without heartbeats.
        var number: Int
        /// How much of it takes effect.
        var effect: Effect
        /// Whether nothing works from then on, as when the process is killed.
        var isDeath: Bool

        var description: String { "\(isDeath ? "death" : "error") at request \(number), \(effect) of it done" }
    }

    private struct State {
        var count = 0
        var isDead = false
    }

    private let inner: any PromiseClient
    private let fault: Fault
    private let state = Mutex(State())

    init(_ inner: any PromiseClient, _ fault: Fault) {
        self.inner = inner
        self.fault = fault
    }

    /// Whether it came to the fault.
    var hasFailed: Bool { state.withLock { $0.count >= fault.number } }
    var isDead: Bool { state.withLock { $0.isDead } }
    var count: Int { state.withLock { $0.count } }

    func process(_ request: Request) async throws -> Response {
        try await process([request])[0]
    }

    func process(_ requests: [Request]) async throws -> [Response] {
        let isNow: Bool = try state.withLock { state in
            if state.isDead { throw PromiseError(.unavailable, "this process is dead") }
            if case .heartbeat = requests[0].operation { return false }
            state.count += 1
            guard state.count == fault.number else { return false }
            state.isDead = fault.isDeath
            return true
        }
        guard isNow else { return try await inner.process(requests) }
        switch fault.effect {
        case .none: break
        case .half: for request in requests.prefix(requests.count / 2) { _ = try await inner.process(request) }
        case .all: _ = try await inner.process(requests)
        }
        throw PromiseError(.unavailable, "no answer came")
    }

    func messages(group: String, id: String) -> AsyncStream<PromiseMessage> {
        inner.messages(group: group, id: id)
    }
}

/// A promise client that tells nothing of earlier steps, as some servers do.
struct ForgetfulClient: PromiseClient {
    let inner: any PromiseClient

    func process(_ request: Request) async throws -> Response {
        try await process([request])[0]
    }

    func process(_ requests: [Request]) async throws -> [Response] {
        try await inner.process(requests).map { response in
            var response = response
            if response.data.preload != nil { response.data.preload = [] }
            return response
        }
    }

    func messages(group: String, id: String) -> AsyncStream<PromiseMessage> {
        inner.messages(group: group, id: id)
    }
}
