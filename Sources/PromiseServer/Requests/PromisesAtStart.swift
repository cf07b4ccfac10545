public import DurablePromises
internal import Synchronization

/// Promises whose tables may not be there yet: until they are, requests are answered that they shall be asked again.
public final class PromisesAtStart: ServedPromises {
    private let promises: any ServedPromises
    private let hasStarted = Atomic(false)

    public init(_ promises: any ServedPromises) {
        self.promises = promises
    }

    /// The tables are there.
    public func start() {
        hasStarted.store(true, ordering: .releasing)
    }

    public var isStarted: Bool { hasStarted.load(ordering: .acquiring) }

    public func process(_ request: Request) async throws -> Response {
        guard isStarted else { throw StoreUnavailable("the database was not reached since the server started") }
        return try await promises.process(request)
    }

    public func messages(group: String, id: String) -> AsyncStream<PromiseMessage> {
        promises.messages(group: group, id: id)
    }

    public func deliveries(group: String, id: String) -> AsyncStream<MessageDelivery> {
        promises.deliveries(group: group, id: id)
    }
}
