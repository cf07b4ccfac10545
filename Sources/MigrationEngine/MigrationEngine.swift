internal import DurablePromises
internal import Foundation
public import Logging
public import PostgreSQL
public import SchemaChange

/// Evolves one target database: walks migrations to the phase that is asked for, forwards or backwards, from the ledger in
/// the target, on durable promises. Knows no Kubernetes.
public struct MigrationEngine: Sendable {
    let database: PostgresConfiguration
    let worker: String
    let leaseDuration: Duration
    let logger: Logger

    /// - Parameters:
    ///   - worker: Who holds a lease: unique to this process.
    ///   - leaseDuration: After that long without a sign of life, another worker takes over.
    public init(
        database: PostgresConfiguration,
        worker: String,
        leaseDuration: Duration = .seconds(10),
        logger: Logger
    ) {
        self.database = database
        self.worker = worker
        self.leaseDuration = leaseDuration
        self.logger = logger
    }

    /// Walks to `phase`. Returns when it is reached, or when it must wait or is stalled: call it again later, it goes on
    /// from the exact chunk. `report` is told every change, from any thread.
    ///
    /// - Throws: `CancellationError` only, when the task is cancelled; its lease is released then.
    public func run(
        _ name: MigrationName,
        uid: String?,
        spec: MigrationSpec,
        to phase: Phase,
        guards: any MigrationGuards,
        report: @escaping @Sendable (MigrationReport) -> Void
    ) async throws -> MigrationReport {
        let reporter = Reporter(report)
        let run = MigrationRun(
            engine: self,
            name: name,
            uid: uid,
            spec: spec,
            target: phase,
            guards: guards,
            reporter: reporter,
            logger: logger.with("migration", "\(name)")
        )
        do {
            try await run.run()
            reporter.update { report in
                report.step = report.phase.rawValue
                report.activity = .reached
            }
        } catch {
            try Task.checkCancellation()
            if error is CancellationError { throw error }
            let interruption = Interruption(error, while: run.doing)
            reporter.update { $0.activity = interruption.activity }
        }
        return reporter.current
    }

    /// What the ledger knows of a migration; nil when it does not know it. Changes nothing.
    public func observe(_ name: MigrationName) async throws -> MigrationReport? {
        try await looking { connection in
            let ledger = Ledger(name: name)
            guard let record = try await ledger.read(connection) else { return nil }
            var isOver = try await !ledger.isPending(record.promise, on: connection)
            if isOver { isOver = try await !ledger.isPurgeUnsaid(record, on: connection) }
            let reporter = Reporter { _ in }
            reporter.take(record)
            reporter.update { report in
                report.step = record.phase.rawValue
                report.activity =
                    record.phase == record.target && isOver
                    ? .reached : .working(reason: "Pending", message: "on the way to \(record.target.rawValue)")
            }
            return reporter.current
        }
    }

    /// A live check of the proof: plan, triggers, server. Changes nothing.
    public func checkProof(_ name: MigrationName) async throws -> ProofCheck {
        try await looking { connection in
            try await ProofCheck.look(at: try await Ledger(name: name).read(connection), on: connection)
        } ?? .none
    }

    /// SQL that lists, and as far as possible mends, rows that are not as their side says. Reads none of them. Nil where
    /// nothing is, or nothing is to be: before the dual write, and from Contract on.
    public func repairs(_ name: MigrationName) async throws -> [RowRepair]? {
        let found: LedgerRecord? = try await looking { try await Ledger(name: name).read($0) }
        guard let record = found, record.phase == .dualWrite || record.phase == .backfill else { return nil }
        return record.plan.mappings.compactMap(\.repair)
    }

    /// Forgets a migration that was undone completely: its ledger entries go, what is left of calls to workers, and what its
    /// walks left pending is cancelled.
    public func forget(_ name: MigrationName) async throws {
        let ledger = Ledger(name: name)
        _ = try await looking { connection in
            try await withPromises(of: "public") { store in
                try await WorkerCalls.forgetAll(of: ledger, in: store) {
                    try await ledger.whileUndone(on: connection, $0)
                }
            }
            try await ledger.remove(on: connection) { connection in
                try await AbandonedWalks(ofRemoved: ledger.id).cancel(by: self, schema: "public", on: connection)
            }
            return true
        }
    }

    /// The plan that the changes make on the live database as it is. Changes nothing.
    ///
    /// - Throws: `PlanError`, which says what is wrong and where.
    public func plan(_ name: MigrationName, spec: MigrationSpec) async throws -> Plan {
        try await connected(to: spec.schema) { connection in
            try await Planner(name: name, spec: spec).plan(on: connection)
        }
    }

    /// The plan that the changes make on the live database as it is, with what it means there; or the one that is in force
    /// already. Changes nothing.
    ///
    /// - Throws: `PlanError`, which says what is wrong and where.
    public func preview(_ name: MigrationName, spec: MigrationSpec) async throws -> PlanPreview {
        try await connected(to: spec.schema) { connection in
            let survey = Survey(name: name, spec: spec)
            let written = try await survey.written(on: connection)
            let planner = Planner(name: name, spec: spec)
            if try await Ledger.isInstalled(on: connection),
                let record = try await Ledger(name: name).read(connection), !record.isUntouched,
                record.planHash == (try await planner.hash(on: connection))
            {
                return PlanPreview(
                    record.plan, estimates: [], findings: spec.lintable.allowing(written), inForce: record.phase)
            }
            let plan = try await planner.plan(on: connection)
            return try await survey.preview(of: plan, written, on: connection)
        }
    }

    // MARK: Sessions

    func looking<Value: Sendable>(
        _ body: (PostgresConnection) async throws -> Value?
    ) async throws -> Value? {
        try await connected(to: "public") { connection in
            guard try await Ledger.isInstalled(on: connection) else { return nil }
            return try await body(connection)
        }
    }

    func connected<Value: Sendable>(
        to schema: String,
        _ body: (PostgresConnection) async throws -> Value
    ) async throws -> Value {
        let connection = try await PostgresConnection.connect(
            configuration(application: "sluice/ledger", schema: schema))
        do {
            let value = try await body(connection)
            await connection.close()
            return value
        } catch {
            await connection.close()
            throw error
        }
    }

    /// Lends the promises of the database to `body`.
    func withPromises<Value: Sendable>(
        of schema: String,
        _ body: (PromiseStore) async throws -> Value
    ) async throws -> Value {
        let pool = PostgresPool(configuration(application: "sluice/promises", schema: schema), maximum: 1)
        let store = PromiseStore(pool: pool, settings: .init(lanes: 1))
        do {
            let value = try await body(store)
            store.close()
            await pool.close()
            return value
        } catch {
            store.close()
            await pool.close()
            throw error
        }
    }

    /// How long a transaction that others may queue behind waits for a lock, as PostgreSQL writes it.
    static let lockWait = "200ms"

    /// A policy that would hide rows is an error in our sessions, names are looked up where the migration says, and no
    /// statement waits long for a lock.
    ///
    /// A lock of ours stalls the application for 500 ms at most: 200 ms in the queue for it, and what is done under it, which
    /// never looks at the rows of a table. The sessions that may wait for longer take no lock on a table of the application's
    /// but `ACCESS SHARE`, to plan.
    ///
    /// - Parameter yields: for sessions that lock what the application uses. They give up well before the server looks for
    ///   deadlocks (`deadlock_timeout`, 1 s), or the application could be chosen as the victim; and the server ends them
    ///   soon when their worker is gone in the middle of a transaction.
    func configuration(application: String, schema: String, yields: Bool = false) -> PostgresConfiguration {
        var configuration = database
        configuration.applicationName = application
        configuration.settings = [
            ("row_security", "off"),
            ("search_path", SearchPath.of(schema)),
            ("lock_timeout", yields ? Self.lockWait : "2s"),
            ("idle_in_transaction_session_timeout", yields ? "5s" : "15s"),
            ("client_min_messages", "warning"),
            // As text a value is the same for whoever reads it: keys of chunks, digests of rows.
            ("datestyle", "ISO, YMD"),
            ("intervalstyle", "postgres"),
            ("extra_float_digits", "1"),
            ("jit", "off"),
        ]
        return configuration
    }
}

extension Logger {
    func with(_ key: String, _ value: String) -> Logger {
        var logger = self
        logger[metadataKey: key] = "\(value)"
        return logger
    }
}
