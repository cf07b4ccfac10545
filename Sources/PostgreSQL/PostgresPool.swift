internal import EventLoop
internal import Synchronization

/// Connections to one database, lent for one piece of work at a time and kept for the next.
///
/// At most `maximum` are open. Who finds none waits in the order of arrival. One that was lost is thrown away; one that is
/// returned in a transaction is rolled back first. Settings that the borrower changed by `SET` stay changed.
public final class PostgresPool: Sendable {
    private struct Idle {
        let connection: PostgresConnection
        let since: ContinuousClock.Instant
    }

    /// What a waiting borrower gets: a connection, or the right to open one.
    private enum Grant {
        case connection(PostgresConnection)
        case room
        case failure(PostgresError)
    }

    private final class Waiter: Sendable {
        let continuation: Mutex<CheckedContinuation<Grant, Never>?> = Mutex(nil)

        func resume(_ grant: Grant) {
            let continuation = continuation.withLock { continuation in
                defer { continuation = nil }
                return continuation
            }
            continuation?.resume(returning: grant)
        }
    }

    private struct State {
        /// The last one used is last, so that those not needed grow old at the front.
        var idle: [Idle] = []
        /// How many are open or being opened, idle ones included.
        var open = 0
        var waiters: [Waiter] = []
        var isClosed = false
        var isReaping = false

        /// What can be had without waiting, if anything.
        mutating func grant(of maximum: Int) -> Grant? {
            if isClosed { return .failure(PostgresPool.closed) }
            if let last = idle.popLast() { return .connection(last.connection) }
            guard open < maximum else { return nil }
            open += 1
            return .room
        }
    }

    /// What its connections are made with.
    public let configuration: PostgresConfiguration
    public let maximum: Int
    private let idleTimeout: Duration
    private let admit: @Sendable (PostgresConnection) async throws -> Void
    private let state = Mutex(State())

    /// A pool that opens connections when they are needed, and closes those that nobody needed for `idleTimeout`.
    ///
    /// - Parameter admit: looks at each new connection before it is lent. What it throws, the borrower gets, and the
    ///   connection is closed.
    public init(
        _ configuration: PostgresConfiguration, maximum: Int, idleTimeout: Duration = .seconds(60),
        admit: @escaping @Sendable (PostgresConnection) async throws -> Void = { _ in }
    ) {
        precondition(maximum > 0, "a pool needs room for a connection")
        self.configuration = configuration
        self.maximum = maximum
        self.idleTimeout = idleTimeout
        self.admit = admit
    }

    /// Lends a connection to `body`. It must not be kept after `body` has returned.
    ///
    /// Throws what `body` throws, what connecting throws, `cancelled` when the task is while it waits, and `closed` once
    /// the pool is.
    @discardableResult
    public func withConnection<Value: Sendable>(
        _ body: (PostgresConnection) async throws -> Value
    ) async throws -> Value {
        let connection = try await borrow()
        do {
            let value = try await body(connection)
            await giveBack(connection)
            return value
        } catch {
            await giveBack(connection)
            throw error
        }
    }

    /// Closes the idle connections, and those lent out when they come back. Who waits is told `closed`. May be repeated.
    public func close() async {
        let (idle, waiters) = state.withLock { state in
            defer {
                state.isClosed = true
                state.open -= state.idle.count
                state.idle = []
                state.waiters = []
            }
            return (state.idle, state.waiters)
        }
        for waiter in waiters { waiter.resume(.failure(Self.closed)) }
        for each in idle { await each.connection.close() }
    }

    private static let closed = PostgresError(.closed, "the pool of connections is closed")

    // MARK: Lending

    private func borrow() async throws -> PostgresConnection {
        if Task.isCancelled { throw PostgresError.cancelled }
        switch await grant() {
        case .failure(let error): throw error
        case .connection(let connection) where !connection.isClosed: return connection
        case .connection, .room:
            do {
                return try await open()
            } catch {
                pass(.room)
                throw error
            }
        }
    }

    private func open() async throws -> PostgresConnection {
        let connection = try await PostgresConnection.connect(configuration)
        do {
            try await admit(connection)
            return connection
        } catch {
            await connection.close()
            throw error
        }
    }

    /// A place among the open connections; whoever gets one passes it on in the end.
    private func grant() async -> Grant {
        if let grant = state.withLock({ $0.grant(of: maximum) }) { return grant }
        let waiter = Waiter()
        return await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                waiter.continuation.withLock { $0 = continuation }
                let grant: Grant? = state.withLock { state in
                    if let grant = state.grant(of: maximum) { return grant }
                    state.waiters.append(waiter)
                    return nil
                }
                if let grant { return waiter.resume(grant) }
                // Cancelled before it was in the list, where the handler could not find it.
                if Task.isCancelled { forget(waiter) }
            }
        } onCancel: {
            forget(waiter)
        }
    }

    private func forget(_ waiter: Waiter) {
        let isWaiting = state.withLock { state in
            guard let index = state.waiters.firstIndex(where: { $0 === waiter }) else { return false }
            state.waiters.remove(at: index)
            return true
        }
        if isWaiting { waiter.resume(.failure(.cancelled)) }
    }

    private func giveBack(_ connection: PostgresConnection) async {
        if await connection.reset() {
            pass(.connection(connection))
            await reapLater()
        } else {
            pass(.room)
        }
    }

    /// Passes a place on to who has waited longest; keeps the connection, if there is one, when nobody waits.
    private func pass(_ grant: Grant) {
        let waiter: Waiter? = state.withLock { state in
            if !state.waiters.isEmpty { return state.waiters.removeFirst() }
            if case .connection(let connection) = grant, !state.isClosed {
                state.idle.append(Idle(connection: connection, since: .now))
            } else {
                // A connection that is dropped here closes itself.
                state.open -= 1
            }
            return nil
        }
        waiter?.resume(grant)
    }

    // MARK: Growing old

    @EventLoop
    private func reapLater() {
        let isNeeded = state.withLock { state in
            guard !state.isReaping, !state.idle.isEmpty else { return false }
            state.isReaping = true
            return true
        }
        guard isNeeded else { return }
        EventLoop.schedule(after: idleTimeout) { [weak self] in self?.reap() }
    }

    @EventLoop
    private func reap() {
        let old = state.withLock { state in
            state.isReaping = false
            let old = state.idle.prefix { $0.since + idleTimeout <= .now || $0.connection.isClosed }
            state.idle.removeFirst(old.count)
            state.open -= old.count
            return old
        }
        for each in old { each.connection.session.close() }
        reapLater()
    }
}
