import Backfill
import Foundation
import PostgreSQL
import SchemaChange
import TestSupport
import Testing

@testable import MigrationEngine

/// Each kind of damage is planted under a proof that holds, and found: by the look at the gate, or by the comparison of every
/// row.
@Suite("Planted corruption")
struct PlantedCorruptionTests {
    // MARK: Of rows

    @Test("of a row that was written while its trigger was off for a moment is found, by the gate and in the rows")
    func disableWriteEnable() async throws {
        try await ProvenTable.with(rows: 300) { table in
            try await table.behindTriggers("UPDATE t SET x = 7 WHERE id = 5")
            #expect(try await table.flaw().contains("was dropped, disabled or replaced"))
            #expect(try await table.mismatches() == ["5"])
        }
    }

    @Test("of a row that was written behind a trigger that is gone is found, by the gate and in the rows")
    func droppedTrigger() async throws {
        try await ProvenTable.with(rows: 300) { table in
            try await table.sql("DROP TRIGGER \(table.updateTrigger()) ON t; UPDATE t SET x = 7 WHERE id = 6")
            #expect(try await table.flaw().contains("was dropped, disabled or replaced"))
            #expect(try await table.mismatches() == ["6"])
        }
    }

    @Test(
        "by a session in the role of a replica writes both sides; one that first makes the trigger let it by is found")
    func replicaRole() async throws {
        try await ProvenTable.with(rows: 300) { table in
            let write = "SET session_replication_role = replica; UPDATE t SET x ="
            try await table.sql("\(write) 7 WHERE id = 7")
            #expect(try await table.sql("SELECT y FROM t WHERE id = 7") == "7")
            #expect(try await table.mismatches() == [])
            #expect(try await table.flaw() == "")

            let trigger = try await table.updateTrigger()
            try await table.sql(
                """
                ALTER TABLE t ENABLE TRIGGER \(trigger); \(write) 8 WHERE id = 9;
                RESET session_replication_role; ALTER TABLE t ENABLE ALWAYS TRIGGER \(trigger);
                """)
            #expect(try await table.flaw().contains("was dropped, disabled or replaced"))
            #expect(try await table.mismatches() == ["9"])
        }
    }

    /// Nothing in the catalog tells: what the trigger of a replica's subscription, or damage on the disk, would do.
    @Test(
        "of a row that nothing in the catalog tells of is found when every row is compared, in the range that it is in")
    func rowAlone() async throws {
        try await ProvenTable.with(rows: 12_000) { table in
            try await table.behindTriggers("UPDATE t SET y = 1 WHERE id = 11000")
            // As if the catalog had never been touched.
            try await table.alter {
                $0.triggers = try await withConnection(table.database.url) {
                    try await TriggerFingerprint.read(table.record().plan, on: $0)
                }
                $0 = try $0.sealed()
            }
            #expect(try await table.flaw() == "")
            let parts = try await table.compare().parts
            #expect(parts.count == 2)
            #expect(parts.map(\.found.mismatches) == [0, 1])
            #expect(parts.map(\.isUnchanged) == [true, false])
            #expect(parts[1].found.examples == ["11000"])
        }
    }

    // MARK: Of the ledger

    @Test("of a checkpoint, deleted or changed, is found")
    func checkpoints() async throws {
        let damage = [
            "DELETE FROM sluice.checkpoint WHERE step LIKE 'backfill/verify/%' AND range = 0",
            "DELETE FROM sluice.checkpoint",
            "UPDATE sluice.checkpoint SET rows = rows + 1 WHERE range = 1",
            "UPDATE sluice.checkpoint SET digest = digest # 1 WHERE range = 1",
            "UPDATE sluice.checkpoint SET done = false WHERE range = 1",
            "UPDATE sluice.checkpoint SET upper = lower WHERE range = 1",
        ]
        try await ProvenTable.with(rows: 12_000) { table in
            try await table.sql("CREATE TABLE kept AS SELECT * FROM sluice.checkpoint")
            for statement in damage {
                try await table.sql(statement)
                #expect(
                    try await table.flaw().contains("checkpoints of the verification are not those"), "\(statement)")
                try await table.sql(
                    "DELETE FROM sluice.checkpoint; INSERT INTO sluice.checkpoint SELECT * FROM kept")
                #expect(try await table.flaw() == "")
            }
        }
    }

    @Test("of a certificate is found: changed, changed and sealed again, or made up with all that it should say")
    func forged() async throws {
        try await ProvenTable.with(rows: 12_000) { table in
            let genuine = try await table.certificate()
            try await table.write(genuine) { $0.rowsCompared += 1 }
            #expect(try await table.flaw().contains("its checksum does not fit"))
            try await table.write(genuine) { $0.at = $0.at.addingTimeInterval(-7200) }
            #expect(try await table.flaw().contains("its checksum does not fit"))
            try await table.write(genuine) {
                $0.rowsCompared += 1; $0 = try $0.sealed()
            }
            #expect(try await table.flaw().contains("ranges of the certificate are not all"))
            try await table.write(genuine) {
                $0.ranges?[0].upTo = ["1"]; $0 = try $0.sealed()
            }
            #expect(try await table.flaw().contains("ranges of the certificate are not all"))
            try await table.write(genuine) {
                $0.ranges = nil; $0 = try $0.sealed()
            }
            #expect(try await table.flaw().contains("ranges of the certificate are not all"))
            try await table.write(genuine) {
                $0.ranges?[0].digest = "0000000000000000"; $0 = try $0.sealed()
            }
            #expect(try await table.flaw().contains("checkpoints of the verification are not those"))
            try await table.write(genuine) {
                $0.rowsCompared += 1
                $0.oldSide += 1
                $0.ranges?[0].rows += 1
                $0.ranges?[0].oldSide += 1
                $0 = try $0.sealed()
            }
            #expect(try await table.flaw().contains("checkpoints of the verification are not those"))
            try await table.write(genuine) { _ in }
            #expect(try await table.flaw() == "")
        }
    }

    @Test("of a certificate that was issued for a migration of the same changes under another name is found")
    func otherMigration() async throws {
        try await ProvenTable.with(rows: 300) { table in
            let copied = try await table.certificate()
            try await table.database.walk(ProvenTable.spec, to: .initial)
            try await table.database.walk(ProvenTable.spec, to: .backfill, name: "b")
            let other = ProvenTable(database: table.database, name: MigrationName(namespace: "shop", name: "b"))
            #expect(try await other.certificate().planHash == copied.planHash)
            #expect(try await other.flaw() == "")
            try await other.write(copied) { _ in }
            #expect(try await other.flaw().contains("was issued to another migration, shop/a"))
        }
    }

    @Test("of a certificate that came with a copy of the database is found, and the rows are proven again there")
    func otherDatabase() async throws {
        try await ProvenTable.with(rows: 300) { table in
            let original = table.database.url.split(separator: "/").last!
            try await withTestDatabase { url in
                let copy = url.split(separator: "/").last!
                try await Psql.run(
                    "DROP DATABASE \"\(copy)\"; CREATE DATABASE \"\(copy)\" TEMPLATE \"\(original)\"",
                    on: try TestServers.databaseURL)
                let database = EvolvingDatabase(url: url, engine: try EvolvingDatabase.engine(on: url))
                let there = ProvenTable(database: database, name: table.name)
                #expect(try await there.flaw().contains("was issued to another database, \(original)"))
            }
            #expect(try await table.flaw() == "")
        }
    }

    @Test("is not seen in a certificate of an older version, as long as its walk says the same")
    func olderVersion() async throws {
        try await ProvenTable.with(rows: 12_000) { table in
            try await table.alter { certificate in
                certificate.migration = nil
                certificate.database = nil
                certificate.walk = nil
                certificate.ranges = nil
                certificate.checksum = nil
            }
            // What it lacks it was not issued without.
            #expect(try await table.flaw().contains("checkpoints of the verification are not those"))
            try await table.sql("UPDATE sluice.checkpoint SET digest = NULL")
            #expect(try await table.flaw() == "")
            let compared = try await table.compare()
            #expect(compared.tally.rows == 12_000)
            #expect(compared.parts.map(\.isUnchanged) == [nil])
            try await table.sql("DELETE FROM sluice.checkpoint WHERE step LIKE 'backfill/verify/%' AND range = 0")
            #expect(try await table.flaw().contains("checkpoints of the verification are not those"))

            // Verified anew it gets all that it lacked.
            try await table.database.walk(ProvenTable.spec, to: .dualWrite)
            try await table.database.walk(ProvenTable.spec, to: .backfill)
            #expect(try await table.certificate().ranges?.count == 2)
            #expect(try await table.flaw() == "")
        }
    }

    @Test("is not seen after Contract, where nobody needs the walk any more")
    func contracted() async throws {
        try await ProvenTable.with(rows: 300) { table in
            try await table.database.walk(ProvenTable.spec, to: .contract)
            #expect(try await table.flaw() == "")
            try await table.sql("DELETE FROM sluice.checkpoint")
            #expect(try await table.flaw() == "")
            try await table.alter { $0.rowsCompared += 1 }
            #expect(try await table.flaw().contains("its checksum does not fit"))
        }
    }
}

/// A table `t` whose column `x` becomes `y`, with a proof that holds.
struct ProvenTable: Sendable {
    let database: EvolvingDatabase
    let name: MigrationName

    static let spec = spec(by: .keys)

    static func spec(by method: WalkMethod) -> MigrationSpec {
        var spec = EvolvingDatabase.spec([
            .alterColumn(
                AlterColumn(
                    table: "t", column: "x", to: NewColumn(name: "y", type: "bigint"), forward: "x::bigint",
                    backward: "y::integer"))
        ])
        spec.backfill = BackfillSettings(by: method)
        return spec
    }

    /// By keys, more than 10 000 rows are compared in two ranges.
    static func with(
        rows: Int, by method: WalkMethod = .keys, _ body: (ProvenTable) async throws -> Void
    ) async throws {
        let setUp = """
            CREATE TABLE t (id int PRIMARY KEY, x int);
            INSERT INTO t SELECT i, i % 1000 FROM generate_series(1, \(rows)) i;
            ANALYZE t;
            """
        try await EvolvingDatabase.with(setUp) { database in
            try await database.walk(spec(by: method), to: .backfill)
            let table = ProvenTable(database: database, name: MigrationName(namespace: "shop", name: "a"))
            #expect(try await table.flaw() == "")
            #expect(try await table.mismatches() == [])
            try await body(table)
        }
    }

    @discardableResult
    func sql(_ statements: String) async throws -> String { try await database.sql(statements) }

    func updateTrigger() async throws -> String {
        let name = try await sql(
            "SELECT tgname FROM pg_trigger WHERE tgrelid = 't'::regclass AND tgname LIKE '~sluice%' AND tgtype & 16 > 0"
        )
        return name.quotedIdentifier
    }

    /// Runs a statement while the triggers are off, and leaves them as they were.
    func behindTriggers(_ statement: String) async throws {
        let trigger = try await updateTrigger()
        try await sql(
            """
            ALTER TABLE t DISABLE TRIGGER \(trigger); \(statement);
            ALTER TABLE t ENABLE ALWAYS TRIGGER \(trigger);
            """)
    }

    // MARK: The proof

    /// Why it does not hold; empty when it does.
    func flaw() async throws -> String {
        switch try await database.engine.checkProof(name) {
        case .holds: return ""
        case .broken(let reason): return reason
        case .none: throw TestFailure("there is no proof")
        }
    }

    func compare() async throws -> RowComparison {
        guard let comparison = try await database.engine.compareRows(name) else {
            throw TestFailure("nothing was compared")
        }
        return comparison
    }

    /// The keys of rows that are not as their side says.
    func mismatches() async throws -> [String] { try await compare().tally.examples }

    func record() async throws -> LedgerRecord {
        let record = try await withConnection(database.url) { try await Ledger(name: name).read($0) }
        guard let record else { throw TestFailure("the ledger does not know \(name)") }
        return record
    }

    func certificate() async throws -> Certificate {
        guard let certificate = try await record().certificate else { throw TestFailure("there is no certificate") }
        return certificate
    }

    /// Writes a certificate into the ledger as somebody would who can, changed by `change`.
    func write(
        _ certificate: Certificate, _ change: (inout Certificate) async throws -> Void
    ) async throws {
        var changed = certificate
        try await change(&changed)
        let text = try LedgerJSON.encode(changed)
        try await sql("UPDATE sluice.migration SET certificate = $json$\(text)$json$ WHERE id = '\(name)'")
    }

    func alter(_ change: (inout Certificate) async throws -> Void) async throws {
        try await write(try await certificate(), change)
    }
}
