public import PostgreSQL

/// Promises and tasks in a PostgreSQL database, in the schema `sluice`.
public final class PromiseStore: PromiseClient, Sendable {
    let pool: PostgresPool
    let clock: PromiseClock
    public let rules: PromiseRules

    /// A store on connections that others may use as well.
    public init(pool: PostgresPool, clock: PromiseClock = .database, rules: PromiseRules = PromiseRules()) {
        self.pool = pool
        self.clock = clock
        self.rules = rules
    }

    /// Serves timers and messages until the task is cancelled. Requests are answered without it as well.
    public func run() async throws {
    }

    public func process(_ request: Request) async throws -> Response {
        throw PromiseError(.incompatible, "not yet")
    }

    public func messages(group: String, id: String) -> AsyncStream<PromiseMessage> {
        AsyncStream { $0.finish() }
    }
}
