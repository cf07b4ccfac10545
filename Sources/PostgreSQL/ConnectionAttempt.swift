internal import CPostgres
internal import Dispatch
internal import EventLoop

/// The making of one connection: names are resolved off the loop, the rest is `PQconnectPoll` on it.
@EventLoop
final class ConnectionAttempt {
    private let configuration: PostgresConfiguration
    private var continuation: CheckedContinuation<Result<Session, PostgresError>, Never>?
    private var handle: OpaquePointer?
    private var watch: Watch?
    private var timer: LoopTimer?
    private var isCancelled = false

    nonisolated init(_ configuration: PostgresConfiguration) {
        self.configuration = configuration
    }

    /// Makes the connection. Throws `connection`, `refused`, `timeout`, or `cancelled` when the task is.
    nonisolated func run() async throws(PostgresError) -> Session {
        let result = await withTaskCancellationHandler {
            await begin()
        } onCancel: {
            Task { @EventLoop in cancel() }
        }
        return try result.get()
    }

    private func begin() async -> Result<Session, PostgresError> {
        await withCheckedContinuation { continuation in
            self.continuation = continuation
            guard !isCancelled else { return finish(.failure(.cancelled)) }
            let limit = configuration.connectTimeout
            let rest = configuration.deadline.map { max(.zero, $0 - .now) } ?? limit
            timer = EventLoop.schedule(after: min(limit, rest)) { [self] in
                let time = rest < limit ? "in time" : "within \(limit.components.seconds) s"
                finish(
                    .failure(PostgresError(.timeout, "cannot connect to \(configuration.endpoints): no answer \(time)"))
                )
            }
            resolve()
        }
    }

    private func cancel() {
        isCancelled = true
        finish(.failure(.cancelled))
    }

    private func resolve() {
        let hosts = configuration.hosts
        DispatchQueue.global().async {
            let resolved = hosts.flatMap { $0.resolved() }
            Task { @EventLoop in self.start(resolved) }
        }
    }

    private func start(_ hosts: [DatabaseHost]) {
        guard continuation != nil else { return }
        guard !hosts.isEmpty else {
            return fail("the host's name cannot be resolved")
        }
        guard let handle = PQconnectStart(configuration.connectionString(hosts)) else {
            return fail("out of memory")
        }
        self.handle = handle
        // The text of a failure then contains the SQLSTATE.
        PQsetErrorVerbosity(handle, PQERRORS_VERBOSE)
        PQsetNoticeProcessor(handle, { _, text in Session.discard(notice: text) }, nil)
        guard PQstatus(handle) != CONNECTION_BAD else {
            return finish(.failure(PostgresError(connecting: configuration, handle)))
        }
        wait(for: .writable)
    }

    private func fail(_ reason: String) {
        finish(.failure(PostgresError(.connection, "cannot connect to \(configuration.endpoints): \(reason)")))
    }

    /// The socket may be another one after each step, when libpq goes on to the next address.
    private func wait(for interest: Readiness) {
        watch?.cancel()
        watch = EventLoop.watch(PQsocket(handle), for: interest) { [self] _ in advance() }
    }

    private func advance() {
        guard continuation != nil, let handle else { return }
        switch PQconnectPoll(handle) {
        case PGRES_POLLING_READING: wait(for: .readable)
        case PGRES_POLLING_WRITING: wait(for: .writable)
        case PGRES_POLLING_OK:
            watch?.cancel()
            self.handle = nil
            finish(.success(Session(handle, configuration)))
        default:
            finish(.failure(PostgresError(connecting: configuration, handle)))
        }
    }

    private func finish(_ result: Result<Session, PostgresError>) {
        guard let continuation else { return }
        self.continuation = nil
        timer?.cancel()
        watch?.cancel()
        if let handle { PQfinish(handle) }
        handle = nil
        continuation.resume(returning: result)
    }
}
