import DurablePromises
import PromiseServer
import Synchronization

/// Promises in this process, by the rules of the real ones: for tests of what stands before them.
final class MemoryPromises: ServedPromises {
    private struct State {
        var records = PromiseRecords()
        var streams: [String: (number: Int, continuation: AsyncStream<MessageDelivery>.Continuation)] = [:]
        var opened = 0
        var asked: [Request] = []
    }

    private let state = Mutex(State())
    private let before: @Sendable (Request) async throws -> Void

    /// - Parameter before: is awaited before a request is answered; may throw.
    init(before: @escaping @Sendable (Request) async throws -> Void = { _ in }) {
        self.before = before
    }

    /// The requests that got through to here.
    var asked: [Request] { state.withLock { $0.asked } }

    func process(_ request: Request) async throws -> Response {
        state.withLock { $0.asked.append(request) }
        try await before(request)
        return state.withLock { state in
            switch request.operation {
            case .searchPromises:
                return Response(
                    to: request, data: ResponseData(promises: Array(state.records.promises.values), cursor: nil))
            case .startDebugging, .tick, .snapshot: return Response(to: request, data: ResponseData(snapshot: "{}"))
            default: break
            }
            var machine = PromiseStateMachine(stored: state.records)
            let response = machine.answer(request, now: request.head.debugTime ?? 1000)
            let changes = machine.outcome.changes
            state.records.promises.merge(changes.promises) { $1 }
            state.records.tasks.merge(changes.tasks) { $1 }
            return response
        }
    }

    func messages(group: String, id: String) -> AsyncStream<PromiseMessage> {
        AsyncStream { $0.finish() }
    }

    func deliveries(group: String, id: String) -> AsyncStream<MessageDelivery> {
        let (stream, continuation) = AsyncStream.makeStream(of: MessageDelivery.self)
        let name = "\(group)/\(id)"
        let number = state.withLock { state in
            state.opened += 1
            state.streams[name] = (state.opened, continuation)
            return state.opened
        }
        // What it has not taken goes with it, as from the real ones.
        continuation.onTermination = { [weak self] _ in
            self?.state.withLock { state in
                if state.streams[name]?.number == number { state.streams[name] = nil }
            }
        }
        return stream
    }

    /// Sends a message to the newest stream of that name. `arrived` is told whether it was taken.
    func send(
        _ message: PromiseMessage,
        to name: String,
        arrived: @escaping @Sendable (Bool) -> Void = { _ in }
    ) {
        let stream = state.withLock { $0.streams[name]?.continuation }
        stream?.yield(MessageDelivery(message, arrived))
    }
}
