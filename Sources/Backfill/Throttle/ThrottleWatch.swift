internal import Foundation
public import Logging
public import PostgreSQL
public import SchemaChange

/// Looks at the server again and again while a table is walked, and holds the walk when something is too much. A signal that
/// cannot be read holds as well: nobody knows then.
public struct ThrottleWatch: Sendable {
    /// What is walked.
    public struct Subject: Sendable {
        public let table: TableName
        /// How many workers it has.
        public let workers: Int
        /// What the `application_name`s of this migration's workers are like, and those of every one's.
        public let sessions: String
        public let allSessions: String
        /// Whether rows are written.
        public let isWriting: Bool

        public init(table: TableName, workers: Int, sessions: String, allSessions: String, isWriting: Bool) {
            self.table = table
            self.workers = workers
            self.sessions = sessions
            self.allSessions = allSessions
            self.isWriting = isWriting
        }
    }

    private let rules: ThrottleRules
    private let subject: Subject
    private let connect: @Sendable () async throws -> PostgresConnection
    private let logger: Logger

    private static let interval = Duration.milliseconds(300)
    private static let probeInterval = Duration.milliseconds(100)

    /// - Parameter connect: opens a session to look with.
    public init(
        _ settings: ThrottleSettings, over subject: Subject, logger: Logger,
        connect: @escaping @Sendable () async throws -> PostgresConnection
    ) {
        rules = ThrottleRules(settings)
        self.subject = subject
        self.connect = connect
        self.logger = logger
    }

    /// Runs `body` under watch. `report` is told what holds it, and when nothing does any more.
    public func during<Value: Sendable>(
        report: @escaping @Sendable (ThrottleHold?) -> Void,
        _ body: @escaping @Sendable (Throttle) async throws -> Value
    ) async throws -> Value {
        let throttle = Throttle(ThrottleState(rules, workers: subject.workers))
        let teller = HoldTeller(report)
        return try await withThrowingTaskGroup(of: Value?.self) { group in
            defer { group.cancelAll() }
            group.addTask {
                try await keepLooking(
                    { try await look(throttle, teller, on: $0) },
                    failed: { message in
                        let finding = ThrottleFinding(reason: "Unreadable", message: message)
                        note([finding], others: 0, throttle, teller)
                    })
                return nil
            }
            if let probe = rules.settings.latency {
                group.addTask {
                    try await keepLooking(
                        { try await self.probe(probe, throttle, on: $0) },
                        failed: { message in throttle.update { $0.failedToProbe(message) } })
                    return nil
                }
            }
            group.addTask { try await body(throttle) }
            while let value = try await group.next() {
                if let value {
                    teller.tell(nil)
                    return value
                }
            }
            throw CancellationError()
        }
    }

    /// Looks until it is cancelled; with a new session where the old one is gone.
    private func keepLooking(
        _ look: @Sendable (PostgresConnection) async throws -> Void, failed: @Sendable (String) -> Void
    ) async throws {
        while !Task.isCancelled {
            guard let error = await failure(of: look), !Task.isCancelled else { continue }
            let message = (error as? PostgresError)?.messageWithoutValues ?? "\(error)"
            logger.debug("cannot look at the server", metadata: ["error": "\(message)"])
            failed("the server cannot be looked at: \(message)")
            try await Task.sleep(for: Self.interval)
        }
    }

    /// Why a session came to its end.
    private func failure(of look: @Sendable (PostgresConnection) async throws -> Void) async -> (any Error)? {
        let connection: PostgresConnection
        do {
            connection = try await connect()
        } catch {
            return error
        }
        var failure: (any Error)?
        do {
            // What a user wrote to be asked cannot change anything.
            try await connection.execute("SET default_transaction_read_only = on; SET statement_timeout = '5s'")
            try await look(connection)
        } catch {
            failure = error
        }
        await connection.close()
        return failure
    }

    // MARK: Signals

    private func look(_ throttle: Throttle, _ teller: HoldTeller, on connection: PostgresConnection) async throws {
        var signals = rules.signals(of: subject)
        while !Task.isCancelled {
            let answers = try await self.answers(to: signals.map(\.statement) + [atWork], on: connection)
            var findings: [ThrottleFinding] = []
            for index in signals.indices {
                if let finding = signals[index].judge(answers[index]) { findings.append(finding) }
            }
            let others = try answers[signals.count].get().first?.integer("others") ?? 0
            note(findings, others: Int(others), throttle, teller)
            try await Task.sleep(for: Self.interval)
        }
    }

    /// Workers of other migrations that are at work, or were a moment ago.
    private var atWork: PostgresStatement {
        PostgresStatement(
            """
            SELECT count(*) AS others FROM pg_stat_activity
            WHERE application_name LIKE $1 AND application_name NOT LIKE $2
                AND (state <> 'idle' OR state_change > clock_timestamp() - interval '2 s')
            """, [.text(subject.allSessions), .text(subject.sessions)])
    }

    /// In one round trip; where one fails, which keeps the others from being run, each by itself.
    private func answers(
        to statements: [PostgresStatement], on connection: PostgresConnection
    ) async throws -> [Result<[PostgresRow], PostgresError>] {
        let statements = statements.map { PostgresStatement($0.sql, $0.parameters, isPrepared: true) }
        let together = try await connection.pipeline(statements)
        let rows = together.compactMap { try? $0.get().rows }
        if rows.count == statements.count { return rows.map { .success($0) } }
        var answers: [Result<[PostgresRow], PostgresError>] = []
        for statement in statements { answers.append(try await self.rows(statement, on: connection)) }
        return answers
    }

    /// The failure of a statement is an answer; that of the session is not.
    private func rows(
        _ statement: PostgresStatement, on connection: PostgresConnection
    ) async throws -> Result<[PostgresRow], PostgresError> {
        do {
            return .success(try await connection.query(statement.sql, statement.parameters).rows)
        } catch {
            guard error.sqlState != nil, !error.isTransient || error.isLostRace else { throw error }
            return .failure(error)
        }
    }

    private func note(_ findings: [ThrottleFinding], others: Int, _ throttle: Throttle, _ teller: HoldTeller) {
        let hold = throttle.update { state in
            state.looked(findings, others: others, at: .now, date: Date())
            return state.hold
        }
        teller.tell(hold ?? nil)
    }

    // MARK: The application's statement

    private func probe(_ probe: LatencyProbe, _ throttle: Throttle, on connection: PostgresConnection) async throws {
        let clock = ContinuousClock()
        while !Task.isCancelled {
            let began = clock.now
            let answer = try await rows(PostgresStatement(probe.query), on: connection)
            let took = clock.now - began
            // That it took longer than the session lets it is an answer as well.
            if case .failure(let error) = answer, error.sqlState != "57014" {
                throttle.update { $0.failedToProbe("the application's statement fails: \(error.messageWithoutValues)") }
            } else {
                throttle.update { $0.probed(took, limit: probe.max.duration) }
            }
            try await Task.sleep(for: Self.probeInterval)
        }
    }
}

extension ThrottleSignal {
    /// What is too much. What cannot be read is, too: nobody knows then.
    fileprivate mutating func judge(_ answer: Result<[PostgresRow], PostgresError>) -> ThrottleFinding? {
        let message: String?
        do {
            message = try finding(in: try answer.get(), at: .now)
        } catch let unreadable as Unreadable {
            message = "\(unreadable.what) cannot be read: grant pg_monitor to the role, or switch this off"
        } catch let error as PostgresError {
            message = "it cannot be looked at: \(error.messageWithoutValues)"
        } catch {
            message = "it cannot be looked at: \(error)"
        }
        return message.map {
            ThrottleFinding(reason: reason, message: "\($0) (backfill.throttle.\(setting))")
        }
    }
}

extension ThrottleRules {
    /// In the order in which they are told.
    fileprivate func signals(of subject: ThrottleWatch.Subject) -> [any ThrottleSignal] {
        var signals: [any ThrottleSignal] = []
        if let windows = settings.windows, !windows.isEmpty { signals.append(TimeWindows(windows: windows)) }
        if let maxBlocked { signals.append(BlockedSessions(limit: maxBlocked, workers: subject.sessions)) }
        if maxReplicationLag != nil || maxReplicationLagBytes != nil {
            signals.append(ReplicationLag(limit: maxReplicationLag, byteLimit: maxReplicationLagBytes))
        }
        if let maxSlotWAL { signals.append(SlotWAL(limit: maxSlotWAL)) }
        if let maxArchiveBacklog { signals.append(ArchiveBacklog(limit: maxArchiveBacklog)) }
        if let disk = settings.disk { signals.append(DiskSpace(probe: disk)) }
        if let maxTransactionAge { signals.append(OldTransactions(limit: maxTransactionAge)) }
        if let maxSnapshotAge { signals.append(OldSnapshots(limit: maxSnapshotAge)) }
        if let maxDeadRows { signals.append(DeadRows(limit: maxDeadRows, table: subject.table)) }
        if autovacuum != .ignore { signals.append(RunningVacuum(policy: autovacuum, table: subject.table)) }
        return signals.filter { subject.isWriting || !$0.isOfWrites }
    }
}
