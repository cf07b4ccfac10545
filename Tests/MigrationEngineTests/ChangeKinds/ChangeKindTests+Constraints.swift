import Foundation
import MigrationEngine
import SchemaChange
import TestSupport
import Testing

extension ChangeKindTests {
    private static func constraints(of table: String) -> String {
        """
        SELECT conname, contype, convalidated FROM pg_constraint WHERE conrelid = '\(table)'::regclass
            AND contype IN ('c', 'f', 'p', 'u', 'x') ORDER BY 1
        """
    }

    private static func constrain(
        _ constraint: NewConstraint, table: String = "Größe", enforce: AddConstraint.Enforcement? = nil
    ) -> Change {
        .addConstraint(AddConstraint(table: table, constraint, enforce: enforce))
    }

    /// A table without a key, another to refer to, and a column in which numbers are text of a domain.
    private static let sizes = """
        CREATE EXTENSION btree_gist; CREATE DOMAIN "short" AS text CHECK (length(value) < 9);
        CREATE TABLE parts (a int, "b" int, c text, PRIMARY KEY (a, "b"));
        INSERT INTO parts VALUES (1, 1, 'x'), (1, 2, 'y');
        CREATE TABLE "Größe" (id int, "select" "short", a int, b int, mail text);
        INSERT INTO "Größe" VALUES (1, 'x', 1, 1, 'p'), (2, NULL, 1, 2, 'q'), (3, 'z', NULL, 7, NULL);
        """

    @Test("constraints of every kind are put in force at Contract, or at Expand if so wanted, and go again")
    func addConstraints() async throws {
        let before = Self.constraints(of: "\"Größe\"")
        try await roundTrip(
            Self.sizes,
            [
                Self.constrain(NewConstraint(name: "not \"x\"", check: "\"select\" <> 'y'"), enforce: .expand),
                Self.constrain(
                    NewConstraint(
                        name: "part",
                        foreignKey: .init(
                            columns: ["a", "b"],
                            references: References(
                                table: "parts", columns: ["a", "b"], onDelete: .setNull, onUpdate: .cascade,
                                deferrable: .immediate)))),
                Self.constrain(
                    NewConstraint(name: "Größe_mail", unique: .init(columns: ["mail"], deferrable: .deferred))),
                Self.constrain(NewConstraint(name: "Größe pkey", primaryKey: .init(columns: ["id", "b"]))),
                Self.constrain(
                    NewConstraint(name: "apart", exclusion: .init(elements: [.init(column: "id", with: "=")]))),
                Self.constrain(NewConstraint(notNull: .init(column: "b"))),
            ],
            [
                Stop(.expand, before, "not \"x\"|c|t"),
                Stop(.backfill, before, "not \"x\"|c|t"),
                Stop(
                    .contract, before, "Größe pkey|p|t\nGröße_mail|u|t\napart|x|t\nnot \"x\"|c|t\npart|f|t"),
                Stop(.backfill, "INSERT INTO \"Größe\" VALUES (3, 'z', 9, 9, 'p'); \(before)", "not \"x\"|c|t"),
            ],
            left: ("SELECT count(*) FROM \"Größe\"", "4")
        )
    }

    @Test(
        "rows that break a constraint are named before Contract",
        arguments: [
            (NewConstraint(name: "n", check: "a > 1"), "(1), (2)"),
            (
                NewConstraint(
                    name: "n", foreignKey: .init(columns: ["a"], references: References(table: "parts", columns: ["a"]))
                ),
                "(2)"
            ),
            (NewConstraint(name: "n", unique: .init(columns: ["u"])), "(1), (2)"),
            (NewConstraint(name: "n", unique: .init(columns: ["u", "a"])), ""),
            (NewConstraint(notNull: .init(column: "a")), "(3)"),
        ] as [(NewConstraint, String)])
    func violators(constraint: NewConstraint, keys: String) async throws {
        try await EvolvingDatabase.with(
            """
            CREATE TABLE parts (a int PRIMARY KEY); INSERT INTO parts VALUES (0);
            CREATE TABLE sizes (id int PRIMARY KEY, a int, u text);
            INSERT INTO sizes VALUES (1, 0, 'x'), (2, 1, 'x'), (3, NULL, NULL), (4, 5, NULL);
            UPDATE sizes SET a = 0 WHERE id = 4;
            """
        ) { database in
            let spec = EvolvingDatabase.spec([Self.constrain(constraint, table: "sizes")])
            guard !keys.isEmpty else {
                try await database.walk(spec, to: .contract)
                return
            }
            let obstacle = try await database.obstacle(spec, to: .backfill)
            #expect(obstacle.hasPrefix("DataNotReady: ") && obstacle.contains(keys), "\(obstacle)")
        }
    }

    @Test("constraints that PostgreSQL would not take, or only under a long lock, are refused before anything is done")
    func constraintsRefused() async throws {
        try await EvolvingDatabase.with(
            Self.sizes + "CREATE TABLE big AS SELECT i AS id, repeat('x', 500) AS x FROM generate_series(1, 4000) i;"
        ) { database in
            let exclusion = NewConstraint(
                name: "apart", exclusion: .init(method: "btree", elements: [.init(column: "id", with: "=")]))
            for (change, message) in [
                (Self.constrain(exclusion, table: "big"), "WouldLock: "),
                (Self.constrain(NewConstraint(name: "n", check: "a > 'x'")), "22P02"),
                (Self.constrain(NewConstraint(name: "n", check: "missing > 1")), "42703"),
                (
                    Self.constrain(
                        NewConstraint(
                            name: "n",
                            foreignKey: .init(columns: ["a"], references: References(table: "parts", columns: ["a"])))),
                    "42830"
                ),
                (Self.constrain(NewConstraint(name: "parts_pkey", unique: .init(columns: ["a"]))), "NameTaken: "),
                (Self.constrain(NewConstraint(name: "n", primaryKey: .init(columns: ["c"])), table: "parts"), "42P16"),
            ] {
                let obstacle = try await database.obstacle(EvolvingDatabase.spec([change]), to: .backfill)
                #expect(obstacle.contains(message), "\(obstacle)")
            }
            let allowed = EvolvingDatabase.spec([
                .addConstraint(AddConstraint(table: "big", exclusion, lockTable: true))
            ])
            try await database.walk(allowed, to: .contract)
        }
    }

    private static let constrained = #"""
        CREATE TABLE refs (id int PRIMARY KEY);
        CREATE TABLE t (
            id int CONSTRAINT "the ""key""" PRIMARY KEY, a int CONSTRAINT one UNIQUE DEFERRABLE INITIALLY DEFERRED,
            b int CONSTRAINT few CHECK (b < 10), r int CONSTRAINT ref REFERENCES refs ON DELETE CASCADE DEFERRABLE, c int);
        ALTER TABLE t ADD CONSTRAINT "unproven" CHECK (b <> 5) NOT VALID;
        ALTER TABLE t ADD CONSTRAINT apart EXCLUDE USING btree (c WITH =);
        COMMENT ON CONSTRAINT few ON t IS 'a few'; COMMENT ON CONSTRAINT one ON t IS 'one';
        COMMENT ON INDEX one IS 'its index'; ALTER TABLE t CLUSTER ON "the ""key""";
        INSERT INTO t VALUES (1, 1, 1, NULL, 1);
        """#

    @Test("constraints of every kind go at Expand, and come back as they were")
    func dropConstraints() async throws {
        try await roundTrip(
            Self.constrained,
            ["the \"key\"", "one", "few", "ref", "unproven", "apart"].map {
                .dropConstraint(DropConstraint(table: "t", name: $0))
            },
            [
                Stop(
                    .expand, "INSERT INTO t VALUES (1, 1, 50, 9, 1); \(Self.constraints(of: "t"))", ""),
                Stop(.contract, "DELETE FROM t WHERE b = 50; SELECT count(*) FROM t", "1"),
            ],
            left: ("SELECT * FROM t", "1|1|1||1")
        )
    }

    @Test("what the new version wrote is in the way of going back until it is mended, and the way back may turn round")
    func dropConstraintWritten() async throws {
        try await EvolvingDatabase.with(Self.constrained) { database in
            let before = try await database.structure()
            let spec = EvolvingDatabase.spec(
                ["one", "few"].map { .dropConstraint(DropConstraint(table: "t", name: $0)) })
            try await database.walk(spec, to: .backfill)
            try await database.sql("INSERT INTO t VALUES (2, 1, 50)")
            #expect(try await database.obstacle(spec, to: .initial).contains("DataNotReady: "))
            // Half restored: what is written is checked again. Forwards that is gone.
            try await database.walk(spec, to: .backfill)
            try await database.sql("INSERT INTO t VALUES (3, 1, 50); UPDATE t SET b = 1")
            #expect(try await database.obstacle(spec, to: .initial).hasPrefix("DataNotReady: "))
            #expect(try await database.sql("SELECT count(*) FROM pg_index WHERE NOT indisvalid") == "0")
            try await database.sql("UPDATE t SET a = id")
            try await database.walk(spec, to: .initial)
            #expect(try await database.structure() == before)
            #expect(try await database.traces() == "")
        }
    }

    @Test("a constraint is renamed at Contract, with the index that is its own")
    func renameConstraint() async throws {
        try await roundTrip(
            Self.constrained,
            [
                .renameConstraint(RenameConstraint(table: "t", from: "the \"key\"", to: "Schlüssel \"x\"")),
                .renameConstraint(RenameConstraint(table: "t", from: "few", to: "order")),
            ],
            [
                Stop(.backfill, "SELECT count(*) FROM pg_constraint WHERE conname = 'few'", "1"),
                Stop(
                    .contract,
                    "SELECT conname FROM pg_constraint WHERE conname IN ('Schlüssel \"x\"', 'order', 'few') ORDER BY 1",
                    "Schlüssel \"x\"\norder"),
            ],
            left: ("SELECT count(*) FROM t", "1")
        )
    }
}
