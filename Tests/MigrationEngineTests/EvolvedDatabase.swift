import Foundation
import PostgreSQL
import TestSupport

/// A database and a Migration for it, walked by the `sluice` program as its users would.
struct EvolvedDatabase: Sendable {
    let url: String
    let manifest: String

    /// Dead rows hold no backfill: a test's tables are written over and over before any autovacuum comes.
    ///
    /// `changes` is the YAML of the list, each line as it stands at the margin, and `fields` one of the spec's.
    init(
        _ url: String, name: String = "items", chunkDuration: String = "40ms", workers: Int = 2, by: String = "Pages",
        fields: String = "", changes: String
    ) {
        self.url = url
        manifest = """
            apiVersion: sluice.dev/v1alpha1
            kind: Migration
            metadata: {name: \(name)}
            spec:
              backfill: {chunkDuration: \(chunkDuration), workers: \(workers), by: \(by), throttle: {maxDeadRows: Off}}
              \(fields)
              changes:
            \(changes.split(separator: "\n").map { "  " + $0 }.joined(separator: "\n"))
            """
    }

    /// `sluice run` to its end.
    func run(
        to phase: String,
        leaseSeconds: Int = 2,
        logLevel: String = "warning",
        within limit: Duration = .seconds(90)
    ) async throws -> Program.Output {
        try await runSluice(
            "run", "-f", "-", "--phase", phase, "--lease-seconds", "\(leaseSeconds)", "--log-level", logLevel,
            environment: ["SLUICE_DATABASE_URL": url],
            input: manifest,
            within: limit
        )
    }

    /// The same, where anything but exit code 0 ends the test.
    @discardableResult
    func reach(_ phase: String) async throws -> String {
        let output = try await run(to: phase)
        guard output.status == 0 else {
            throw TestFailure("run to \(phase): \(output.status)\n\(output.standardOutput)\(output.standardError)")
        }
        return output.standardOutput
    }

    /// `sluice run` beside the body, which logs each chunk.
    func running<Value>(
        to phase: String = "Backfill",
        leaseSeconds: Int = 2,
        _ body: (SluiceProcess) async throws -> Value
    ) async throws -> Value {
        try await withSluice(
            "run", "-f", "-", "--phase", phase, "--lease-seconds", "\(leaseSeconds)", "--log-level", "debug",
            environment: ["SLUICE_DATABASE_URL": url],
            input: manifest,
            body
        )
    }

    func verify() async throws -> Program.Output {
        try await runSluice("verify", "-f", "-", environment: ["SLUICE_DATABASE_URL": url], input: manifest)
    }

    /// What psql prints for a statement.
    @discardableResult
    func sql(_ statement: String) async throws -> String {
        try await Psql.run(statement, on: url)
    }
}

extension EvolvedDatabase {
    /// A table `items` whose `amount` in units becomes `cents`: backwards it loses what is below a unit.
    static let amountToCents = """
        - replaceColumns:
            table: items
            from: [amount]
            to: [{name: cents, type: bigint}]
            forward: {cents: "amount::bigint * 100"}
            backward: {amount: "(cents / 100)::integer"}
        """

    /// That table, with rows.
    static func withItems(
        _ url: String, rows: Int, chunkDuration: String = "5ms", by: String = "Pages"
    ) async throws -> EvolvedDatabase {
        let database = EvolvedDatabase(url, chunkDuration: chunkDuration, by: by, changes: amountToCents)
        try await database.sql(
            """
            CREATE TABLE items (id bigint PRIMARY KEY, amount integer, label text);
            INSERT INTO items SELECT i, i % 1000, 'item ' || i FROM generate_series(1, \(rows)) i;
            ANALYZE items;
            """
        )
        return database
    }
}

extension SluiceProcess {
    /// Waits until it has said that it sends so many chunks of a step.
    func chunksLogged(_ count: Int, of step: String = "") async throws {
        try await eventually("\(count) chunks", within: .seconds(60), every: .milliseconds(5)) {
            ChunkAttempt.all(in: standardError).filter { $0.step.hasPrefix(step) }.count >= count
        }
    }
}

/// A connection of a test's own, closed afterwards.
func withConnection<Value>(
    _ url: String,
    name: String = "test",
    _ body: (PostgresConnection) async throws -> Value
) async throws -> Value {
    let configuration = try PostgresConfiguration(url: url, origin: .operatorOwned, applicationName: name)
    let connection = try await PostgresConnection.connect(configuration)
    do {
        let value = try await body(connection)
        await connection.close()
        return value
    } catch {
        await connection.close()
        throw error
    }
}
