import Foundation
import MigrationEngine
import SchemaChange
import TestSupport
import Testing

/// What a column in the archive does not do any more.
extension ChangeKindTests {
    @Test("constraints of a dropped column refuse the new version nothing, and come back with it")
    func releasedByDropColumn() async throws {
        let setUp = """
            CREATE TABLE p (id int PRIMARY KEY); INSERT INTO p VALUES (1), (2);
            CREATE TABLE t (
                id int PRIMARY KEY, n int, x int CHECK (x IS NOT NULL), u int NOT NULL DEFAULT 4, v int DEFAULT 1,
                r int REFERENCES p ON DELETE RESTRICT, CONSTRAINT together CHECK (x > n), CONSTRAINT pair UNIQUE (v, x) DEFERRABLE,
                CONSTRAINT apart EXCLUDE USING btree (u WITH =), UNIQUE (u));
            COMMENT ON CONSTRAINT together ON t IS 'more than n'; ALTER TABLE t ADD CONSTRAINT odd CHECK (x <> 0) NOT VALID;
            CREATE UNIQUE INDEX one ON t (u) WHERE r > 0; CREATE INDEX plain ON t (x); CREATE INDEX other ON t (u, n);
            INSERT INTO t VALUES (1, 1, 2, 1, 1, 1), (2, 2, 3, 2, 2, 2);
            """
        try await EvolvingDatabase.with(setUp) { database in
            let before = try await database.structure()
            let spec = EvolvingDatabase.spec(
                ["x", "u", "r", "v"].map { .dropColumn(DropColumn(table: "t", column: $0)) }
                    + [.dropIndex(DropIndex(table: "t", name: "other"))])
            try await database.walk(spec, to: .contract)
            try await database.sql("INSERT INTO t (id, n) VALUES (3, 9), (4, 9); DELETE FROM p WHERE id = 2")
            func named(_ words: String...) async throws {
                let obstacle = try await database.obstacle(spec, to: .initial)
                for word in words { #expect(obstacle.contains(word), "\(obstacle)") }
            }
            try await named("r_fkey", "keys (2)")
            try await database.sql("UPDATE t SET r = 1 WHERE id = 2")
            try await named("are the same in it", "(3)", "(4)")
            try await database.sql("UPDATE t SET u = 5 WHERE id = 3")
            try await named("t_x_check", "(3)", "(4)")
            try await database.sql("UPDATE t SET x = 10 + id WHERE id > 2")
            try await database.walk(spec, to: .initial)
            #expect(try await database.structure() == before)
            try await database.walk(spec, to: .contract)
            try await database.walk(spec, to: .initial)
            #expect(try await database.structure() == before)
        }
    }

    @Test("constraints of columns that are replaced refuse the new version nothing, and come back with them")
    func releasedByReplaceColumns() async throws {
        let setUp = """
            CREATE TABLE p (id int PRIMARY KEY); INSERT INTO p VALUES (1), (2);
            CREATE TABLE t (id int PRIMARY KEY, r int REFERENCES p CHECK (r < 100), n int, CONSTRAINT together UNIQUE (r, n));
            INSERT INTO t VALUES (1, 1), (2, 2);
            """
        try await EvolvingDatabase.with(setUp) { database in
            let before = try await database.structure()
            for change in [
                Change.replaceColumns(
                    ReplaceColumns(
                        table: "t", from: ["r"], to: [NewColumn(name: "s", type: "text")], forward: ["s": "r::text"],
                        backward: ["r": "s::int"])),
                .alterColumn(
                    AlterColumn(
                        table: "t", column: "r", to: NewColumn(name: "s", type: "text"), forward: "r::text",
                        backward: "s::int")),
            ] {
                let spec = EvolvingDatabase.spec([change])
                try await database.walk(spec, to: .contract)
                try await database.sql("INSERT INTO t (id, n, s) VALUES (3, 3, '300'), (4, 3, '300')")
                for (words, mend) in [
                    ("are the same in it; make them differ: keys (", "UPDATE t SET s = '1' WHERE id = 3"),
                    ("r_check: keys (4)", "UPDATE t SET s = '9' WHERE id = 4"),
                    ("r_fkey: keys (4)", "DELETE FROM t WHERE id > 2"),
                ] {
                    let obstacle = try await database.obstacle(spec, to: .initial)
                    #expect(obstacle.contains(words), "\(obstacle)")
                    try await database.sql(mend)
                }
                try await database.walk(spec, to: .initial)
                #expect(try await database.structure() == before)
            }
        }
    }
}

extension ChangeKindTests {
    @Test(
        "what somebody makes meanwhile on what goes into the archive keeps it from going, by name",
        arguments: [
            Change.dropColumn(DropColumn(table: "t", column: "x")),
            .replaceColumns(
                ReplaceColumns(
                    table: "t", from: ["x"], to: [NewColumn(name: "y", type: "text")], forward: ["y": "x::text"],
                    backward: ["x": "y::int"])),
            .dropTable(DropTable(table: "t")),
            .moveToTable(MoveToTable(table: "t", columns: [.init(name: "x")], to: "s", key: ["id": "t"])),
        ])
    func latecomersOfTheArchive(change: Change) async throws {
        let isMove = change.key == "moveToTable"
        let setUp = """
            CREATE TABLE p (id int PRIMARY KEY);
            CREATE TABLE t (id serial PRIMARY KEY, x int\(isMove ? "" : " DEFAULT 1") REFERENCES p CHECK (x > 0));
            CREATE INDEX early ON t (x);
            """ + (isMove ? "CREATE TABLE s (t int PRIMARY KEY REFERENCES t ON DELETE CASCADE);" : "")
        try await EvolvingDatabase.with(setUp) { database in
            let before = try await database.structure()
            let spec = EvolvingDatabase.spec([change])
            try await database.walk(spec, to: .backfill)
            for (make, name, drop) in [
                ("CREATE INDEX late ON t (x)", "index late", "DROP INDEX late"),
                (
                    "ALTER TABLE t ADD CONSTRAINT late CHECK (x < 9)", "constraint late on table t",
                    "ALTER TABLE t DROP CONSTRAINT late"
                ),
                (
                    "ALTER TABLE t ADD CONSTRAINT late FOREIGN KEY (x) REFERENCES p", "constraint late on table t",
                    "ALTER TABLE t DROP CONSTRAINT late"
                ),
                ("CREATE VIEW late AS SELECT x FROM t", "on view late", "DROP VIEW late"),
            ] {
                try await database.sql(make)
                let obstacle = try await database.obstacle(spec, to: .contract)
                #expect(obstacle.hasPrefix("Dependents: ") && obstacle.contains(name), "\(make): \(obstacle)")
                #expect(!obstacle.contains("early") && !obstacle.contains("x_check"))
                try await database.sql(drop)
            }
            try await database.walk(spec, to: .contract)
            try await database.walk(spec, to: .backfill)
            try await database.walk(spec, to: .contract)
            try await database.walk(spec, to: .initial)
            #expect(try await database.structure() == before)
        }
    }

    @Test("rows that break a constraint after the look at them are named, forwards and back")
    func violatorsByName() async throws {
        let setUp = """
            CREATE TABLE p (id int PRIMARY KEY); INSERT INTO p VALUES (1);
            CREATE TABLE t (id int PRIMARY KEY, x int); CREATE TABLE u (id int PRIMARY KEY, r int REFERENCES p);
            INSERT INTO t VALUES (1, 1); INSERT INTO u VALUES (7, 1);
            """
        try await EvolvingDatabase.with(setUp) { database in
            let spec = EvolvingDatabase.spec([
                .alterColumn(
                    AlterColumn(
                        table: "t", column: "x", check: "x > 0", constraintNames: ConstraintNames(check: "positive"))),
                .dropTable(DropTable(table: "u")),
            ])
            try await database.walk(spec, to: .backfill)
            try await database.sql("INSERT INTO t VALUES (2, -1)")
            let forwards = try await database.obstacle(spec, to: .contract)
            #expect(
                forwards.hasPrefix("DataNotReady: ") && forwards.hasSuffix("break positive: keys (2)"), "\(forwards)")
            try await database.sql("DELETE FROM t WHERE id = 2")
            try await database.walk(spec, to: .contract)
            try await database.sql("DELETE FROM p")
            let back = try await database.obstacle(spec, to: .backfill)
            #expect(back.hasPrefix("DataNotReady: ") && back.hasSuffix("break u_r_fkey: keys (7)"), "\(back)")
        }
    }

    @Test("an identity gets a type that numbers rows, or is refused before anything is done")
    func identityType() async throws {
        let setUp = "CREATE TABLE t (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY);"
        try await EvolvingDatabase.with(setUp) { database in
            func spec(_ type: String) -> MigrationSpec {
                EvolvingDatabase.spec([.alterColumn(AlterColumn(table: "t", column: "id", type: type))])
            }
            let obstacle = try await database.obstacle(spec("numeric"), to: .expand)
            #expect(obstacle.contains("smallint, integer or bigint"), "\(obstacle)")
            // As it says.
            try await database.sql("ALTER TABLE t ALTER id DROP IDENTITY")
            try await database.walk(spec("numeric"), to: .contract)
        }
    }
}
