internal import Foundation
internal import PostgreSQL
internal import SchemaChange

/// Migrations whose changes a database has already: because it was restored from a dump, made by another tool, or made anew
/// from a finished schema.
///
/// They are entered into the ledger as contracted, with no archive and so no way back, after a look that the database is as
/// the whole chain would have left it. Rows are not looked at.
public struct Baseline: Sendable {
    public struct Entry: Sendable {
        public var name: MigrationName
        public var spec: MigrationSpec

        public init(name: MigrationName, spec: MigrationSpec) {
            self.name = name
            self.spec = spec
        }
    }

    /// What was found, and done.
    public struct Report: Sendable, Hashable {
        /// Those that were entered, or would be.
        public var entered: [MigrationName] = []
        /// Those that the ledger knows as contracted already.
        public var known: [MigrationName] = []
        /// What is not as the chain would have left it. With one of these nothing was entered.
        public var differences: [String] = []
        /// The changes that nobody can look up, such as statements of one's own.
        public var unchecked: [String] = []
    }

    /// In the order in which they build on each other.
    let entries: [Entry]

    public init(_ entries: [Entry]) {
        self.entries = entries
    }
}

extension MigrationEngine {
    /// Enters the migrations that the database has already. All of them or none.
    ///
    /// - Parameter writes: whether anything is entered; without, it is only looked.
    /// - Throws: `PlanError` for changes that could never be planned; `PostgresError`.
    public func baseline(_ baseline: Baseline, writes: Bool) async throws -> Baseline.Report {
        try await connected(to: "public") { connection in
            if writes { try await Ledger.install(on: connection) }
            guard try await Ledger.isInstalled(on: connection) else {
                return try await baseline.look(on: connection)
            }
            return try await connection.transaction { connection in
                // Nobody begins one of them meanwhile.
                if writes { try await connection.query("LOCK TABLE sluice.migration IN SHARE ROW EXCLUSIVE MODE") }
                var report = try await baseline.look(on: connection)
                for entry in baseline.entries {
                    guard let record = try await Ledger(name: entry.name).read(connection) else { continue }
                    report.take(record, of: entry)
                }
                guard writes, report.differences.isEmpty else { return report }
                for entry in baseline.entries where report.entered.contains(entry.name) {
                    try await baseline.enter(entry, on: connection)
                }
                return report
            }
        }
    }
}

extension Baseline.Report {
    fileprivate mutating func take(_ record: LedgerRecord, of entry: Baseline.Entry) {
        // An entry of which nothing is in force is as good as none.
        if record.isUntouched { return }
        entered.removeAll { $0 == entry.name }
        if record.phase == .contract {
            known.append(entry.name)
        } else {
            differences.append(
                "\(entry.name) is on its way in this database, at \(record.phase.rawValue): go on with it by sluice run, "
                    + "or take it back to Initial first")
        }
    }
}

extension Baseline {
    fileprivate func look(on connection: PostgresConnection) async throws -> Report {
        var report = Report()
        var shapes: [String: ExpectedShape] = [:]
        for entry in entries {
            if let flaw = PlanBuilder.flaws(in: entry.spec.changes, writer: entry.spec.writer).first { throw flaw }
            report.entered.append(entry.name)
            shapes[entry.spec.schema, default: ExpectedShape()].apply(entry.spec.changes, of: entry.name.description)
            if entry.spec.desiredPhase != .contract {
                report.differences.append(
                    "\(entry.name) asks for phase \(entry.spec.desiredPhase.rawValue), and what a database has already is "
                        + "contracted: set phase: Contract")
            }
        }
        for (schema, shape) in shapes.sorted(by: { $0.key < $1.key }) {
            report.differences += shape.differences(from: try await find(shape, in: schema, on: connection))
            report.unchecked += shape.unchecked
        }
        return report
    }

    private func find(
        _ shape: ExpectedShape, in schema: String, on connection: PostgresConnection
    ) async throws -> FoundShape {
        var found = FoundShape(tables: [:], typeNames: [:], enumValues: [:])
        // Types are looked up where the migrations would look.
        _ = try await connection.query("SELECT set_config('search_path', $1, false)", [.text(SearchPath.of(schema))])
        for table in shape.tableNames {
            found.tables[table] = try await .read(TableName(schema: schema, name: table), on: connection)
        }
        for type in shape.types {
            let row = try await connection.query("SELECT format_type(to_regtype($1), NULL)", [.text(type)]).row()
            found.typeNames[type] = row[0]
        }
        for type in shape.enumTypes {
            found.enumValues[type] = try await connection.query(
                """
                SELECT e.enumlabel FROM pg_enum e JOIN pg_type t ON t.oid = e.enumtypid
                JOIN pg_namespace n ON n.oid = t.typnamespace WHERE n.nspname = $1 AND t.typname = $2
                """, [.text(schema), .text(type)]
            ).rows.compactMap { $0[0] }
        }
        return found
    }

    fileprivate func enter(_ entry: Entry, on connection: PostgresConnection) async throws {
        let planner = Planner(name: entry.name, spec: entry.spec)
        let plan = Plan.nothing(
            to: entry.spec.changes, hash: try await planner.hash(on: connection), schema: entry.spec.schema)
        let server = try await ServerIdentity.read(connection)
        let position = try await connection.query("SELECT pg_current_wal_lsn()::text AS lsn").row().text("lsn")
        let certificate = try Certificate(
            planHash: plan.hash,
            rowsCompared: 0,
            oldSide: 0,
            newSide: 0,
            mismatches: 0,
            triggers: TriggerFingerprint.none,
            walPosition: position,
            systemIdentifier: server.systemIdentifier,
            timeline: server.timeline,
            at: Date(),
            baseline: true,
            migration: entry.name.description,
            database: server.database
        ).sealed()
        try await Ledger(name: entry.name).enter(plan, provenBy: certificate, server: server, on: connection)
    }
}
