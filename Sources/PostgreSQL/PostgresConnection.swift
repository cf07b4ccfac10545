internal import EventLoop
internal import Synchronization

/// One session with a PostgreSQL server.
///
/// Its methods may be called from anywhere; what several tasks ask is done one after the other, in the order in which they
/// asked. (So while one task is in a ``transaction(isolation:readOnly:_:)``, statements of another take part in it: a
/// connection is for one piece of work, and a ``PostgresPool`` hands them out.)
public final class PostgresConnection: Sendable {
    let session: Session

    init(_ session: Session) {
        self.session = session
    }

    deinit {
        let session = session
        Task { @EventLoop in session.close() }
    }

    /// Connects, trying each host and address in turn.
    ///
    /// Throws `connection` with the reason, `refused` when it is no use to try again, `timeout` after
    /// ``PostgresConfiguration/connectTimeout``, or `cancelled`.
    public static func connect(
        _ configuration: PostgresConfiguration
    ) async throws(PostgresError) -> PostgresConnection {
        PostgresConnection(try await ConnectionAttempt(configuration).run())
    }

    /// Where it is connected to.
    public var configuration: PostgresConfiguration {
        session.configuration
    }

    /// The process of the server that serves this session.
    public var processID: Int32 {
        session.processID
    }

    /// Whether the session is over, by ``close()`` or because it was lost.
    public var isClosed: Bool {
        session.isClosed.load(ordering: .acquiring)
    }

    /// Runs one statement.
    ///
    /// When the task is cancelled, the statement is cancelled on the server and `cancelled` is thrown; the connection stays
    /// usable. (A statement that ended first returns as usual.) When the connection is lost, `connection` is thrown: whether
    /// the statement took effect is then unknown.
    @discardableResult
    public func query(_ sql: String, _ parameters: [PostgresValue] = []) async throws(PostgresError) -> PostgresResult {
        try await query(PostgresStatement(sql, parameters), isCancellable: true)
    }

    /// Runs a script of any number of statements without parameters. Unless it says otherwise they are one transaction.
    public func execute(_ script: String) async throws(PostgresError) {
        for outcome in try await session.perform(.script(script)) { _ = try outcome.get() }
    }

    /// Sends statements together and returns the outcome of each, in order: one round trip for all.
    ///
    /// Outside a transaction they are one: when one fails, those before it are undone and those after it are not run
    /// (`skipped`).
    public func pipeline(
        _ statements: [PostgresStatement]
    ) async throws(PostgresError) -> [Result<PostgresResult, PostgresError>] {
        guard !statements.isEmpty else { return [] }
        return try await session.perform(.pipeline(statements))
    }

    /// Starts to listen on a channel. ``notifications`` delivers what comes.
    public func listen(_ channel: String) async throws(PostgresError) {
        // LISTEN takes no parameter; the server quotes the name itself.
        let statement = try await query("SELECT format('LISTEN %I', $1::text) AS listen", [.text(channel)]).row()
        try await query(try statement.text("listen"))
    }

    /// What arrives from now on, on every channel listened to. Ends when the connection does: then connect anew, listen,
    /// and only then look at the state that the notifications were about.
    public var notifications: AsyncStream<PostgresNotification> {
        get async {
            let (stream, continuation) = AsyncStream.makeStream(
                of: PostgresNotification.self,
                bufferingPolicy: .bufferingNewest(1024)
            )
            await session.listen(continuation)
            return stream
        }
    }

    /// Ends the session; what is running or waiting fails with `closed`. May be repeated.
    public func close() async {
        await session.close()
    }

    /// A statement that must run even in a cancelled task, such as `ROLLBACK`, is not cancellable.
    @discardableResult
    func query(_ statement: PostgresStatement, isCancellable: Bool) async throws(PostgresError) -> PostgresResult {
        if isCancellable && Task.isCancelled { throw .cancelled }
        guard let outcome = try await session.perform(.query(statement), isCancellable: isCancellable).first else {
            throw PostgresError(.protocolViolation, "the server did not answer a statement")
        }
        return try outcome.get()
    }
}
