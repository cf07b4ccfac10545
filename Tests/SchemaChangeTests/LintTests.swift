import Foundation
import SchemaChange
import TestSupport
import Testing

/// Each code is found where it should be, and not where the statement is safe.
@Suite("lint")
struct LintTests {
    private static func codes(of change: Change, _ setting: Lint.Setting = .init()) -> [LintCode: Finding.Severity] {
        let found = Lint([change], setting: setting).findings.compactMap { finding in
            finding.known.map { ($0, finding.severity) }
        }
        return Dictionary(found, uniquingKeysWith: { min($0, $1) })
    }

    private static func codes(of statements: [String], at stage: WritableKeyPath<SQLChange, [String]?>) -> Set<LintCode>
    {
        var sql = SQLChange(tables: ["t"], expand: [], rollback: [], contractRollback: [])
        sql[keyPath: stage] = statements
        // A change without statements is a flaw, which is none of lint's codes.
        return Set(codes(of: .sql(sql)).keys)
    }

    @Test(
        "statements of SQL",
        arguments: [
            (.unreadableSQL, ["SELECT 'a"], ["SELECT 'it''s'"]),
            (.unreadableSQL, ["\\d t"], ["SELECT E'\\'\\\\d'"]),
            (.unreadableSQL, ["SELECT 1 /* /* */"], ["SELECT 1 /* /* */ */ -- '"]),
            (.unreadableSQL, ["SELECT $x$ a $y$"], ["SELECT $x$ a ' $y$ $x$"]),
            (.transactionControl, ["COMMIT"], ["SELECT 'COMMIT'"]),
            (.transactionControl, ["SELECT 1; BEGIN"], ["SELECT 1 -- ; BEGIN"]),
            (
                .transactionControl, ["SAVEPOINT a"],
                [
                    "CREATE FUNCTION f() RETURNS int LANGUAGE sql BEGIN ATOMIC SELECT CASE WHEN true THEN 1 END; SELECT 2; END"
                ]
            ),
            (.transactionControl, ["PREPARE TRANSACTION 'x'"], ["PREPARE x AS SELECT 1"]),
            (.outsideTransaction, ["CREATE INDEX CONCURRENTLY i ON t (a)"], ["CREATE INDEX concurrently_i ON t (a)"]),
            (.outsideTransaction, ["DROP INDEX CONCURRENTLY i"], ["DROP INDEX i"]),
            (.outsideTransaction, ["VACUUM FULL t"], ["ANALYZE t"]),
            (.copiesFromClient, ["COPY t FROM STDIN"], ["COPY t FROM PROGRAM 'true'"]),
            (.dynamicSQL, ["DO $$ BEGIN EXECUTE 'DROP TABLE t'; END $$"], ["SELECT $$DO$$"]),
            (.sessionSetting, ["SET lock_timeout = 0"], ["SET LOCAL work_mem = '1GB'"]),
            (
                .createIndexLocks, ["CREATE UNIQUE INDEX i ON public.t (a)"],
                ["CREATE TABLE n (a int)", "CREATE INDEX i ON n (a)"]
            ),
            (.reindexLocks, ["REINDEX TABLE t"], ["SELECT reindex FROM t"]),
            (.alterTypeRewrites, ["ALTER TABLE t ALTER a TYPE bigint"], ["ALTER TABLE t ALTER a SET STATISTICS 500"]),
            (
                .alterTypeRewrites, ["ALTER TABLE ONLY t ALTER COLUMN a SET DATA TYPE text"],
                ["ALTER TABLE t ALTER a SET DEFAULT 1"]
            ),
            (
                .addColumnRewrites, ["ALTER TABLE t ADD COLUMN u uuid DEFAULT gen_random_uuid()"],
                ["ALTER TABLE t ADD COLUMN u timestamptz DEFAULT now()"]
            ),
            (.addColumnRewrites, ["ALTER TABLE t ADD n bigserial"], ["ALTER TABLE t ADD n bigint"]),
            (
                .addColumnRewrites, ["ALTER TABLE t ADD n bigint GENERATED ALWAYS AS IDENTITY"],
                ["ALTER TABLE t ADD n bigint DEFAULT 1"]
            ),
            (
                .addColumnRewrites, ["ALTER TABLE t ADD n int GENERATED ALWAYS AS (a * 2) STORED"],
                ["ALTER TABLE t ADD n int"]
            ),
            (.tableRewrites, ["CLUSTER t USING i"], ["ALTER TABLE t CLUSTER ON i"]),
            (.tableRewrites, ["ALTER TABLE t SET UNLOGGED"], ["ALTER TABLE t SET (fillfactor = 70)"]),
            (
                .constraintScans, ["ALTER TABLE t ADD CONSTRAINT c CHECK (a > 0)"],
                ["ALTER TABLE t ADD CONSTRAINT c CHECK (a > 0) NOT VALID"]
            ),
            (
                .constraintScans, ["ALTER TABLE t ADD FOREIGN KEY (a) REFERENCES o (id)"],
                ["ALTER TABLE t ADD CONSTRAINT f FOREIGN KEY (a) REFERENCES o NOT VALID"]
            ),
            (.constraintScans, ["ALTER TABLE t ADD a int CHECK (a > 0)"], ["ALTER TABLE t ADD \"check\" int"]),
            (
                .constraintBuildsIndex, ["ALTER TABLE t ADD UNIQUE (a)"],
                ["ALTER TABLE t ADD CONSTRAINT u UNIQUE USING INDEX i"]
            ),
            (
                .constraintBuildsIndex, ["ALTER TABLE t ADD CONSTRAINT p PRIMARY KEY (a)"],
                ["ALTER TABLE t DROP CONSTRAINT p"]
            ),
            (
                .validatesTogether,
                ["ALTER TABLE t ADD CONSTRAINT c CHECK (a > 0) NOT VALID", "ALTER TABLE t VALIDATE CONSTRAINT c"],
                ["ALTER TABLE t VALIDATE CONSTRAINT c"]
            ),
            (.setNotNullScans, ["ALTER TABLE t ALTER a SET NOT NULL"], ["ALTER TABLE t ALTER a DROP NOT NULL"]),
            (
                .attachScans, ["ALTER TABLE t ATTACH PARTITION p FOR VALUES IN (1)"],
                ["ALTER TABLE t DETACH PARTITION p"]
            ),
            (
                .domainScans, ["ALTER DOMAIN d ADD CONSTRAINT c CHECK (VALUE > 0)"],
                ["ALTER DOMAIN d ADD CONSTRAINT c CHECK (VALUE > 0) NOT VALID"]
            ),
            (.refreshLocks, ["REFRESH MATERIALIZED VIEW v"], ["REFRESH MATERIALIZED VIEW CONCURRENTLY v"]),
            (.writesAllRows, ["UPDATE t SET a = (SELECT 1 WHERE true)"], ["UPDATE t SET a = 1 WHERE id = 2"]),
            (.writesAllRows, ["DELETE FROM t"], ["DELETE FROM t WHERE a = 'x'"]),
            (.writesAllRows, ["DELETE FROM t WHERE true"], ["DELETE FROM t WHERE \"true\""]),
            (.writesAllRows, ["UPDATE t SET a = 1 WHERE (1 = 1) RETURNING id"], ["UPDATE t SET a = 1 WHERE (b)"]),
            (
                .writesAllRows,
                ["WITH gone AS (DELETE FROM t RETURNING a) INSERT INTO u (a) SELECT a FROM gone WHERE a > 1"],
                ["WITH gone AS (DELETE FROM t WHERE a = 1 RETURNING a) INSERT INTO u (a) SELECT a FROM gone"]
            ),
            (
                .writesAllRows, ["WITH x AS (SELECT 1 WHERE a > 1) UPDATE t SET a = 1"],
                ["INSERT INTO t (a) VALUES (1) ON CONFLICT (a) DO UPDATE SET a = 2", "SELECT 1 FROM t FOR UPDATE"]
            ),
            (
                .writesAllRows, ["MERGE INTO t USING u ON t.a = u.a WHEN MATCHED THEN DELETE"],
                ["SELECT merge FROM t"]
            ),
            (.insertByPosition, ["WITH x AS (INSERT INTO t VALUES (1)) SELECT 1"], ["SELECT 1"]),
            (.detachLocks, ["ALTER TABLE t DETACH PARTITION p"], ["ALTER TABLE t DETACH PARTITION p CONCURRENTLY"]),
            (.dropsDefault, ["ALTER TABLE t ALTER a DROP DEFAULT"], ["ALTER TABLE t ALTER a DROP NOT NULL"]),
            (.dropsOwned, ["DROP OWNED BY x"], ["DROP VIEW owned"]),
            (.revokes, ["REVOKE SELECT ON t FROM app"], ["GRANT SELECT ON t TO app"]),
            (.changesOwner, ["ALTER TABLE t OWNER TO x"], ["ALTER TABLE t RENAME owner TO x"]),
            (.changesOwner, ["ALTER FUNCTION f() OWNER TO x"], ["ALTER FUNCTION f() COST 1"]),
            (.changesOwner, ["REASSIGN OWNED BY x TO y"], ["SELECT reassign FROM t"]),
            (
                .changesRowSecurity, ["ALTER TABLE t DISABLE ROW LEVEL SECURITY"],
                ["ALTER TABLE t ENABLE TRIGGER x"]
            ),
            (.changesRowSecurity, ["ALTER TABLE t NO FORCE ROW LEVEL SECURITY"], ["CREATE POLICY p ON t"]),
            (.changesInheritance, ["ALTER TABLE t NO INHERIT o"], ["ALTER TABLE t ADD inherit int"]),
            (.renames, ["ALTER SCHEMA s RENAME TO z"], ["ALTER INDEX i RENAME TO j"]),
            (.renames, ["ALTER VIEW v RENAME TO w"], ["ALTER VIEW v SET (security_barrier)"]),
            (.renames, ["ALTER TYPE e RENAME VALUE 'a' TO 'b'"], ["ALTER TYPE e ADD VALUE 'a'"]),
            (.locksTable, ["LOCK TABLE t"], ["SELECT lock FROM t"]),
            (
                .locksSeveralTables, ["ALTER TABLE t ADD a int", "ALTER TABLE u ADD a int"],
                ["ALTER TABLE t ADD a int", "ALTER TABLE t ADD b int"]
            ),
            (.locksSeveralTables, ["ALTER TABLE t ADD a int REFERENCES u"], ["ALTER TABLE t ADD a int REFERENCES t"]),
            (.dropIndexLocks, ["DROP INDEX i"], ["ALTER INDEX i RENAME TO j"]),
            (.dropsColumn, ["ALTER TABLE t ADD b int, DROP COLUMN a"], ["ALTER TABLE t DROP CONSTRAINT a"]),
            (.dropsTable, ["DROP TABLE IF EXISTS t, u"], ["CREATE TABLE n ()", "DROP TABLE n"]),
            (.dropsObject, ["DROP VIEW v"], ["DROP OWNED BY x"]),
            (.dropsCascade, ["DROP VIEW v CASCADE"], ["DROP VIEW v RESTRICT"]),
            (.dropsNotNull, ["ALTER TABLE t ALTER a DROP NOT NULL"], ["ALTER TABLE t ALTER a DROP DEFAULT"]),
            (.truncates, ["TRUNCATE t"], ["SELECT trunc(1)"]),
            (.renames, ["ALTER TABLE t RENAME COLUMN a TO b"], ["ALTER TABLE t RENAME CONSTRAINT a TO b"]),
            (.renames, ["ALTER TABLE t RENAME TO u"], ["ALTER INDEX t RENAME TO u"]),
            (.addColumnNotNull, ["ALTER TABLE t ADD a int NOT NULL"], ["ALTER TABLE t ADD a int NOT NULL DEFAULT 0"]),
            (.disablesTriggers, ["ALTER TABLE t DISABLE TRIGGER ALL"], ["ALTER TABLE t ENABLE TRIGGER x"]),
            (.disablesTriggers, ["SET LOCAL session_replication_role = replica"], ["SET LOCAL role_name.x = 'y'"]),
            (
                .selectStar, ["CREATE VIEW v AS SELECT x.*, 1 FROM t x"],
                ["CREATE VIEW v AS SELECT a * 2, count(*) FROM t"]
            ),
            (.insertByPosition, ["INSERT INTO t VALUES (1)"], ["INSERT INTO t (a) VALUES (1)"]),
            (.unnamedTable, ["ALTER TABLE u ADD a int"], ["ALTER TABLE public.t ADD a int"]),
            (.ifNotExists, ["ALTER TABLE t ADD COLUMN IF NOT EXISTS a int"], ["DROP TABLE IF EXISTS t"]),
            (.enumValue, ["ALTER TYPE e ADD VALUE 'x'"], ["ALTER TYPE e RENAME VALUE 'x' TO 'y'"]),
            (
                .nameTooLong, ["ALTER TABLE t ADD \(String(repeating: "n", count: 64)) int"],
                ["ALTER TABLE t ADD \(String(repeating: "n", count: 63)) int"]
            ),
            (
                .nameTooLong, ["CREATE INDEX \(String(repeating: "ü", count: 32)) ON t (a)"],
                ["CREATE INDEX \(String(repeating: "ü", count: 31)) ON t (a)"]
            ),
            (.charType, ["CREATE TABLE n (a char(3))"], ["CREATE TABLE n (a \"char\", b text)"]),
            (.jsonType, ["ALTER TABLE t ADD j json"], ["ALTER TABLE t ADD j jsonb"]),
            (
                .timestampWithoutZone, ["CREATE TABLE n (a timestamp(3))"],
                ["CREATE TABLE n (a timestamp (3) with time zone, b timestamptz)"]
            ),
            (.varcharLimit, ["CREATE TABLE n (a character varying (3))"], ["CREATE TABLE n (a varchar)"]),
            (.smallKey, ["CREATE TABLE n (id int PRIMARY KEY)"], ["CREATE TABLE n (id bigint PRIMARY KEY, a int)"]),
            (
                .smallKey, ["CREATE TABLE n (id int4, CONSTRAINT p PRIMARY KEY (id))"],
                ["CREATE TABLE n (id int8, a int4, PRIMARY KEY (id))"]
            ),
            (
                .serialType, ["CREATE TABLE n (id bigserial)"],
                ["CREATE TABLE n (id bigint GENERATED BY DEFAULT AS IDENTITY)"]
            ),
        ] as [(LintCode, [String], [String])]
    )
    func statements(code: LintCode, bad: [String], good: [String]) {
        #expect(Self.codes(of: bad, at: \.expand).contains(code), "\(bad)")
        #expect(!Self.codes(of: good, at: \.expand).contains(code), "\(good)")
    }

    @Test("the same statement weighs less when the old version is gone, and what undoes may take away")
    func stages() {
        let drop = ["ALTER TABLE t DROP COLUMN a"]
        func severity(_ sql: SQLChange, _ code: LintCode) -> Finding.Severity? { Self.codes(of: .sql(sql))[code] }
        #expect(severity(SQLChange(tables: ["t"], expand: drop), .dropsColumn) == .error)
        #expect(severity(SQLChange(tables: ["t"], contract: drop), .dropsColumn) == .warning)
        #expect(severity(SQLChange(tables: ["t"], expand: ["SELECT 1"], rollback: drop), .dropsColumn) == nil)
        let index = ["CREATE INDEX ON t (a)"]
        #expect(severity(SQLChange(tables: ["t"], contract: index), .createIndexLocks) == .error)
        #expect(
            severity(SQLChange(tables: ["t"], contract: ["SELECT 1"], contractRollback: index), .createIndexLocks)
                == .warning)
        #expect(severity(SQLChange(expand: ["SELECT 1"], rollback: ["COMMIT"]), .transactionControl) == .error)
    }

    @Test(
        "changes",
        arguments: [
            (
                .missingRollback, .sql(SQLChange(expand: ["SELECT 1"])),
                .sql(SQLChange(expand: ["SELECT 1"], rollback: []))
            ),
            (
                .missingContractRollback, .sql(SQLChange(contract: ["SELECT 1"])),
                .sql(SQLChange(contract: ["SELECT 1"], contractRollback: ["SELECT 2"]))
            ),
            (.nameTooLong, Planning.add(String(repeating: "n", count: 64)), Planning.add("n")),
            (
                .jsonType, .addColumn(AddColumn(table: "t", column: NewColumn(name: "j", type: "JSON"))),
                .addColumn(AddColumn(table: "t", column: NewColumn(name: "j", type: "jsonb")))
            ),
            (
                .sameNameUnseen, .alterColumn(AlterColumn(table: "t", column: "a", type: "bigint")),
                .alterColumn(
                    AlterColumn(
                        table: "t", column: "a", to: NewColumn(name: "b", type: "bigint"), forward: "a", backward: "b"))
            ),
            (
                .backwardLoses,
                .replaceColumns(
                    ReplaceColumns(
                        table: "t", from: ["a"],
                        to: [NewColumn(name: "b", type: "text"), NewColumn(name: "c", type: "text")],
                        forward: ["b": "a", "c": "a"], backward: ["a": "b || 'c'"])),
                .replaceColumns(
                    ReplaceColumns(
                        table: "t", from: ["a"],
                        to: [NewColumn(name: "b", type: "text"), NewColumn(name: "c", type: "text")],
                        forward: ["b": "a", "c": "a"], backward: ["a": "b || c"]))
            ),
            (
                .backwardLoses,
                .alterColumn(
                    AlterColumn(
                        table: "t", column: "a", to: NewColumn(name: "b", type: "text"), forward: "a",
                        backward: "lower(b)")),
                .alterColumn(
                    AlterColumn(
                        table: "t", column: "a", to: NewColumn(name: "b", type: "text"), forward: "a",
                        backward: "'lower(' || b"))
            ),
            (
                .forwardLoses,
                .replaceColumns(
                    ReplaceColumns(
                        table: "t", from: ["a", "z"], to: [NewColumn(name: "b", type: "text")], forward: ["b": "a"],
                        backward: ["a": "b", "z": "b"])),
                .replaceColumns(
                    ReplaceColumns(
                        table: "t", from: ["a", "z"], to: [NewColumn(name: "b", type: "text")],
                        forward: ["b": "a || \"z\""],
                        backward: ["a": "b", "z": "b"]))
            ),
        ] as [(LintCode, Change, Change)]
    )
    func changes(code: LintCode, bad: Change, good: Change) {
        #expect(Self.codes(of: bad)[code] != nil)
        #expect(Self.codes(of: good)[code] == nil)
    }

    @Test("what the rest of the spec says")
    func settings() {
        let change = Planning.add("a")
        let contract = Lint.Setting(target: .contract)
        #expect(Self.codes(of: change, contract)[.contractUnguarded] == .warning)
        #expect(Self.codes(of: change, .init(target: .contract, isWithoutRollouts: true))[.contractUnguarded] == nil)
        #expect(Self.codes(of: change, .init(target: .backfill))[.contractUnguarded] == nil)
        #expect(Self.codes(of: change, .init(keepsNothing: true))[.keepsNothing] == .warning)
        let sameName = Change.alterColumn(AlterColumn(table: "t", column: "a", type: "bigint"))
        #expect(Self.codes(of: sameName, .init(isWithoutRollouts: true))[.sameNameUnseen] == nil)
        #expect(Self.codes(of: sameName, .init(hasViews: true))[.sameNameUnseen] == nil)
    }

    @Test("what is accepted is not said, but for what could only fail")
    func allowed() {
        let sql = Change.sql(SQLChange(tables: ["t"], expand: ["CREATE INDEX ON t (a)", "COMMIT"], rollback: []))
        let setting = Lint.Setting(allowed: ["CreateIndexLocks", "TransactionControl"])
        #expect(Lint([sql], setting: setting).findings.map(\.code) == ["TransactionControl"])
    }

    @Test("each finding says where, and flaws of the fields are findings")
    func places() {
        let changes = [
            Planning.add("x"),
            .sql(SQLChange(tables: ["t"], expand: ["SELECT 1", "SELECT 2; TRUNCATE t"], rollback: [])),
        ]
        let findings = Lint(changes).findings
        #expect(findings.map(\.path) == ["changes[1].sql.expand[1]"])
        #expect(findings[0].description.contains("all rows of t go") && findings[0].remedy != nil)
        let flaw = Lint([Planning.add("x", forward: "a;")]).findings
        #expect(flaw.map(\.code) == ["InvalidExpression"] && flaw[0].severity == .error)
    }

    @Test("docs/lint.md has a line for each code, with its severity")
    func documented() throws {
        let text = try String(contentsOfFile: TestServers.scripts + "/../docs/lint.md", encoding: .utf8)
        for code in LintCode.allCases {
            let marks = (code.isAcceptable ? "" : " †") + (code.isForgivenWhenSmall ? " ‡" : "")
            #expect(text.contains("\n| `\(code.rawValue)`\(marks) | \(code.severity.rawValue) | "), "\(code)")
        }
        #expect(text.matches(of: /\n\| `/).count == LintCode.allCases.count + 3)
    }
}
