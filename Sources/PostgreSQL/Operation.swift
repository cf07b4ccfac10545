internal import CPostgres
internal import EventLoop

/// What somebody asked of a connection, from its place in the queue to its answer.
@EventLoop
final class Operation {
    typealias Outcome = Result<PostgresResult, PostgresError>

    enum Work: Sendable {
        /// One statement, by the extended protocol.
        case query(PostgresStatement)
        /// Any number of statements, by the simple protocol.
        case script(String)
        /// Statements that are sent together, up to one synchronization point.
        case pipeline([PostgresStatement])
    }

    let work: Work

    /// Who waits for the answer; set while the operation is in the queue or running.
    var continuation: CheckedContinuation<Result<[Outcome], PostgresError>, Never>?

    /// The task that asked was cancelled.
    var isCancelled = false

    /// A request to cancel is on its way. The next statement waits until it has arrived, or it might be hit instead.
    var isCancelRequestUnderWay = false

    /// When it was sent to the server.
    var began: ContinuousClock.Instant?

    /// The server has said all that it will.
    private(set) var isAnswered = false

    private(set) var outcomes: [Outcome] = []
    private var current: Outcome? {
        didSet { if case .failure(let error) = current, failure == nil { failure = error } }
    }

    /// What the server is to answer, in order; a preparation's answer is nobody's.
    private enum Step {
        case preparation(sql: String)
        case statement
    }

    private var steps: [Step] = []
    private var failedPreparation: PostgresError?

    /// The texts that the server has prepared since.
    private(set) var prepared: [String] = []

    nonisolated init(_ work: Work) {
        self.work = work
    }

    var isPipeline: Bool {
        if case .pipeline = work { true } else { false }
    }

    /// The error that the server reported first, if any.
    private(set) var failure: PostgresError?

    /// Takes what `PQgetResult` returned.
    func take(_ result: OpaquePointer?) {
        guard let result else {
            finishStep()
            isAnswered = !isPipeline
            return
        }
        defer { PQclear(result) }
        switch PQresultStatus(result) {
        case PGRES_PIPELINE_SYNC:
            isAnswered = true
        case PGRES_COMMAND_OK, PGRES_TUPLES_OK, PGRES_EMPTY_QUERY:
            if case .failure = current { break }
            current = .success(PostgresResult(copying: result))
        case PGRES_PIPELINE_ABORTED:
            let reason = "the statement was not run, because one before it in its pipeline failed"
            current = .failure(PostgresError(.skipped, reason))
        case PGRES_COPY_IN, PGRES_COPY_OUT, PGRES_COPY_BOTH:
            current = .failure(PostgresError(.protocolViolation, "COPY to or from the client is not supported"))
        default:
            if case .failure = current { break }
            var error = PostgresError(result: result)
            if isCancelled && error.sqlState == "57014" { error.code = .cancelled }
            current = .failure(error)
        }
    }

    private func finishStep() {
        guard let answer = current else { return }
        current = nil
        guard isPipeline else { return outcomes.append(answer) }
        guard !steps.isEmpty else { return }
        switch (steps.removeFirst(), answer) {
        case (.preparation(let sql), .success): prepared.append(sql)
        case (.preparation, .failure(let error)): failedPreparation = failedPreparation ?? error
        case (.statement, .failure(let error)) where error.code == .skipped && failedPreparation != nil:
            outcomes.append(.failure(failedPreparation ?? error))
            failedPreparation = nil
        case (.statement, _): outcomes.append(answer)
        }
    }

    /// Answers whoever waits. Only the first call counts.
    func resume(_ result: Result<[Outcome], PostgresError>) {
        continuation?.resume(returning: result)
        continuation = nil
    }

    // MARK: Sending

    /// Hands the work to libpq; false when it would not take it.
    ///
    /// - Parameter names: of the statements that the session has prepared, by their text; those that are new are added.
    func send(on handle: OpaquePointer, _ names: PreparedNames) -> Bool {
        switch work {
        case .query(let statement): return Self.send(statement, name: nil, on: handle)
        case .script(let script): return PQsendQuery(handle, script) == 1
        case .pipeline(let statements):
            return PQenterPipelineMode(handle) == 1
                && statements.allSatisfy { sendStep($0, on: handle, names) }
                && PQpipelineSync(handle) == 1
        }
    }

    private func sendStep(_ statement: PostgresStatement, on handle: OpaquePointer, _ names: PreparedNames) -> Bool {
        guard statement.isPrepared else {
            steps.append(.statement)
            return Self.send(statement, name: nil, on: handle)
        }
        let isBeingPrepared = steps.contains {
            if case .preparation(statement.sql) = $0 { true } else { false }
        }
        let name = names.name(of: statement.sql)
        if !names.isKnown(statement.sql) && !isBeingPrepared {
            steps.append(.preparation(sql: statement.sql))
            guard PQsendPrepare(handle, name, statement.sql, 0, nil) == 1 else { return false }
        }
        steps.append(.statement)
        return Self.send(statement, name: name, on: handle)
    }

    private static func send(_ statement: PostgresStatement, name: String?, on handle: OpaquePointer) -> Bool {
        let copies = statement.parameters.map { $0.sent.map { copy($0) } }
        defer { copies.forEach { $0?.deallocate() } }
        let values = copies.map { $0.map { UnsafePointer($0) } }
        guard let name else {
            return PQsendQueryParams(handle, statement.sql, Int32(values.count), nil, values, nil, nil, 0) == 1
        }
        return PQsendQueryPrepared(handle, name, Int32(values.count), values, nil, nil, 0) == 1
    }

    private static func copy(_ text: String) -> UnsafeMutablePointer<CChar> {
        let bytes = text.utf8CString
        let copy = UnsafeMutableBufferPointer<CChar>.allocate(capacity: bytes.count)
        _ = copy.initialize(from: bytes)
        return copy.baseAddress!
    }

    /// What is wrong with the work before anything is sent. A C string ends at a NUL, and so would the text.
    nonisolated var flaw: PostgresError? {
        let statements: [PostgresStatement]
        switch work {
        case .query(let statement): statements = [statement]
        case .script(let script): statements = [PostgresStatement(script)]
        case .pipeline(let several): statements = several
        }
        for statement in statements {
            if statement.sql.containsNUL || statement.parameters.contains(where: { $0.containsNUL }) {
                return PostgresError(.protocolViolation, "PostgreSQL's text cannot contain a NUL character")
            }
            if statement.parameters.count > 65_535 {
                return PostgresError(.protocolViolation, "a statement has more than 65535 parameters")
            }
        }
        return nil
    }
}

extension PostgresValue {
    fileprivate var containsNUL: Bool {
        switch self {
        case .text(let text): text.containsNUL
        case .textArray(let elements): elements.contains { $0?.containsNUL ?? false }
        case .null, .integer, .boolean, .bytes: false
        }
    }
}

extension String {
    fileprivate var containsNUL: Bool {
        var text = self
        return text.withUTF8 { bytes in bytes.contains(0) }
    }
}
