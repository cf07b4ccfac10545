import DurablePromises
import Foundation
import Logging
import MigrationEngine
import PostgreSQL
import SchemaChange
import Synchronization
import TestSupport

/// A database of a test's own, and an engine that evolves it in this process.
struct EvolvingDatabase: Sendable {
    let url: String
    let engine: MigrationEngine

    /// With the tables that `setUp` makes.
    static func with(_ setUp: String, _ body: (EvolvingDatabase) async throws -> Void) async throws {
        try await withTestDatabase { url in
            try await on(url, setUp, body)
        }
    }

    /// The same on a server of that version.
    static func with(
        _ setUp: String, on version: PostgresVersion, _ body: (EvolvingDatabase) async throws -> Void
    ) async throws {
        try await withTestDatabase(on: version.url) { url in
            try await on(url, setUp, body)
        }
    }

    /// The same on a server of one's own.
    static func on(_ url: String, _ setUp: String, _ body: (EvolvingDatabase) async throws -> Void) async throws {
        try await Psql.run(setUp, on: url)
        try await body(EvolvingDatabase(url: url, engine: try engine(on: url)))
    }

    /// A worker of its own.
    static func engine(on url: String) throws -> MigrationEngine {
        var logger = Logger(label: "sluice")
        logger.logLevel = .critical
        return MigrationEngine(
            database: try PostgresConfiguration(url: url, origin: .operatorOwned, applicationName: "sluice/test"),
            worker: uniqueName("worker"),
            logger: logger
        )
    }

    /// What psql prints: a line a row, columns by `|`.
    @discardableResult
    func sql(_ statements: String) async throws -> String {
        try await Psql.run(statements, on: url)
    }

    /// The SQLSTATE-like complaint of a statement that has to fail.
    func refusal(of statement: String, setting: String? = nil) async throws -> String {
        let output = try await Program.run(
            "psql",
            ["--no-psqlrc", "--quiet", "--set=VERBOSITY=sqlstate", "--command=\(statement)", url],
            environment: setting.map { ["PGOPTIONS": "-c \($0)"] } ?? [:]
        )
        guard output.status != 0 else { throw TestFailure("it was accepted: \(statement)") }
        return output.standardError
    }

    // MARK: Walking

    /// A spec without waiting times.
    static func spec(
        _ changes: [Change], writer: DualWriter? = nil, keepFor: Duration = .seconds(3600)
    ) -> MigrationSpec {
        MigrationSpec(
            changes: changes,
            dualWrite: writer.map { DualWriteSettings(by: $0) },
            contract: ContractSettings(soak: SpecDuration(.zero), keepFor: SpecDuration(keepFor), withoutRollouts: true)
        )
    }

    func run(
        _ spec: MigrationSpec,
        to phase: Phase,
        name: String = "a",
        uid: String? = nil,
        guards: any MigrationGuards = AllowingGuards(),
        telling told: Told? = nil
    ) async throws -> MigrationReport {
        try await engine.run(
            MigrationName(namespace: "shop", name: name),
            uid: uid,
            spec: spec,
            to: phase,
            guards: guards,
            report: { told?.hear($0) }
        )
    }

    /// Walks to a phase, which has to be reached.
    @discardableResult
    func walk(_ spec: MigrationSpec, to phase: Phase, name: String = "a") async throws -> MigrationReport {
        let report = try await run(spec, to: phase, name: name)
        guard report.activity == .reached, report.phase == phase else {
            throw TestFailure(
                "\(name) was to reach \(phase.rawValue), and is at \(report.phase.rawValue): \(report.activity)")
        }
        return report
    }

    /// Why it does not get to a phase: `Reason: message`.
    func obstacle(_ spec: MigrationSpec, to phase: Phase, name: String = "a") async throws -> String {
        let report = try await run(spec, to: phase, name: name)
        switch report.activity {
        case .stalled(let reason, let message), .waiting(let reason, let message): return "\(reason): \(message)"
        default: throw TestFailure("\(name) was not to reach \(phase.rawValue), and did")
        }
    }

    // MARK: Promises

    /// The promises of the database, as anybody may get at them.
    @discardableResult
    func promises<Value: Sendable>(_ body: (PromiseStore) async throws -> Value) async throws -> Value {
        let configuration = try PostgresConfiguration(url: url, origin: .operatorOwned, applicationName: "somebody")
        let pool = PostgresPool(configuration, maximum: 1)
        let store = PromiseStore(pool: pool, settings: .init(lanes: 1))
        let value = try await body(store)
        store.close()
        await pool.close()
        return value
    }

    /// The promise that waits for somebody; there has to be one and no other.
    func openQuestion() async throws -> String {
        let found = try await promises {
            try await $0.searchPromises(PromiseSearch(state: "pending", tags: [PromiseTag.external: "true"])).promises
        }
        guard let promise = found.first, found.count == 1 else {
            throw TestFailure("one promise was to wait for somebody: \(found.map(\.id))")
        }
        return promise.id
    }

    func settle(_ id: String, _ state: PromiseState = .resolved, _ data: String? = nil) async throws {
        try await promises { _ = try await $0.settlePromise(id: id, state: state, value: PromiseValue(data: data)) }
    }

    /// Of all promises of the migrations, those that are pending, with the number of their walk.
    func pending() async throws -> String {
        try await sql(
            """
            SELECT substring(id FROM '/(w[0-9]+.*)$') FROM sluice.promise
            WHERE id LIKE 'migration/%' AND state = 'pending' ORDER BY id
            """)
    }

    /// How a promise came to its end, and what was said about it.
    func end(of id: String) async throws -> String {
        let promise = try await promises { try await $0.getPromise(id: id) }
        guard let promise else { throw TestFailure("there is no promise \(id)") }
        let data = promise.value.data.flatMap { Data(base64Encoded: $0) } ?? Data()
        return "\(promise.state.rawValue) \(String(decoding: data, as: UTF8.self))"
    }

    struct AllowingGuards: MigrationGuards {
        func mayContract() async throws -> GuardVerdict { .allowed }
        func mayGoBack(to phase: Phase) async throws -> GuardVerdict { .allowed }
    }

    // MARK: Looking

    /// Everything but Sluice's own schema, as pg_dump writes it.
    func structure() async throws -> String {
        // The key is a random word in each dump, unless it is given.
        let dump = try await Program.output(
            TestServers.pgDump, ["--schema-only", "--exclude-schema=sluice", "--restrict-key=same", url])
        // Debian's PostgreSQL 15.20 gives a column this number, and another one by ALTER TYPE, which tests clean up with.
        return dump.split(separator: "\n", omittingEmptySubsequences: false)
            .filter { !$0.contains("SET (pg_attver=") }.joined(separator: "\n")
    }

    /// Columns, indexes, triggers and functions of ours that are left. What an index calls its columns nobody sees.
    func traces() async throws -> String {
        try await sql(
            """
            SELECT attname FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid AND c.relkind <> 'i'
                WHERE attname LIKE 'sluice\\_%' AND NOT attisdropped
            UNION ALL SELECT relname FROM pg_class WHERE relname LIKE 'sluice%'
                AND relnamespace IS DISTINCT FROM to_regnamespace('sluice')
            UNION ALL SELECT tgname FROM pg_trigger WHERE tgname LIKE '%sluice%'
            UNION ALL SELECT conname FROM pg_constraint WHERE conname LIKE 'sluice%'
            UNION ALL SELECT proname FROM pg_proc WHERE pronamespace = to_regnamespace('sluice')
            """
        )
    }
}

/// What a run has told so far.
final class Told: Sendable {
    private let lines = Mutex("")

    var text: String { lines.withLock { $0 } }

    func hear(_ report: MigrationReport) {
        lines.withLock { $0 += "\(report.activity)\n" }
    }
}

/// One stop of a round trip: the phase to walk to, what is run there, and what it answers.
struct Stop: Sendable {
    let phase: Phase
    let script: String
    let answer: String

    init(_ phase: Phase, _ script: String, _ answer: String) {
        self.phase = phase
        self.script = script
        self.answer = answer
    }
}
