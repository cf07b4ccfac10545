import Foundation
import MigrationEngine
import SchemaChange
import TestSupport
import Testing

extension ChangeKindTests {
    /// A column with everything that can depend on one.
    private static func ratings() -> String {
        // Roles are the server's, and other tests have one too.
        let role = uniqueName("rater").quotedIdentifier
        return """
            CREATE ROLE \(role) NOLOGIN;
            CREATE TABLE users (id int PRIMARY KEY);
            INSERT INTO users VALUES (1), (2), (3);
            CREATE TABLE reviews (
                id int PRIMARY KEY, "Old rating" text DEFAULT '0', user_id int, code varchar(20) NOT NULL,
                CONSTRAINT "the code" UNIQUE (code) DEFERRABLE, CONSTRAINT code_length CHECK (length(code) > 1),
                CONSTRAINT author FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE CASCADE);
            COMMENT ON COLUMN reviews.code IS 'what it''s called';
            COMMENT ON CONSTRAINT "the code" ON reviews IS 'one each';
            CREATE INDEX "By Code" ON reviews (lower(code) text_pattern_ops DESC, id) WHERE code <> 'none';
            COMMENT ON INDEX "By Code" IS 'prefixes';
            CREATE INDEX reviews_user ON reviews (user_id);
            CLUSTER reviews USING reviews_user;
            CREATE STATISTICS review_statistics (dependencies) ON code, user_id FROM reviews;
            GRANT SELECT (code), UPDATE (code) ON reviews TO \(role) WITH GRANT OPTION;
            ALTER TABLE reviews ALTER COLUMN code SET STATISTICS 250, ALTER COLUMN code SET STORAGE EXTERNAL;
            CREATE VIEW short WITH (security_barrier = true) AS SELECT id, code AS shown FROM reviews WHERE length(code) < 9;
            CREATE VIEW shorter AS SELECT shown FROM short;
            ALTER TABLE reviews ENABLE ROW LEVEL SECURITY;
            CREATE POLICY own ON reviews FOR SELECT TO \(role), PUBLIC USING (code <> 'secret');
            CREATE FUNCTION loud() RETURNS trigger LANGUAGE plpgsql AS
                $$ BEGIN RAISE NOTICE '%', NEW.code; RETURN NULL; END $$;
            CREATE TRIGGER loud AFTER UPDATE OF code ON reviews FOR EACH ROW WHEN (NEW.code = 'x') EXECUTE FUNCTION loud();
            ALTER TABLE reviews ENABLE ALWAYS TRIGGER loud;
            INSERT INTO reviews VALUES (1, '4', 1, 'c1'), (2, '5', 2, 'c2'), (3, NULL, NULL, 'none');
            """
    }

    private static func definitions(_ database: EvolvingDatabase, _ table: String = "reviews") async throws -> String {
        try await database.sql(
            """
            SELECT pg_get_indexdef(indexrelid) || CASE WHEN indisclustered THEN ' clustered' ELSE '' END
                || coalesce(' ' || obj_description(indexrelid), '') FROM pg_index
                WHERE indrelid = '\(table)'::regclass AND pg_get_indexdef(indexrelid) NOT LIKE '%sluice%'
            UNION ALL SELECT conname || ' ' || pg_get_constraintdef(oid) || ' ' || convalidated
                || coalesce(' ' || obj_description(oid), '') FROM pg_constraint
                WHERE conrelid = '\(table)'::regclass AND conname NOT LIKE 'sluice%'
            UNION ALL SELECT attname || ' ' || format_type(atttypid, atttypmod) || ' ' || attnotnull || ' '
                || attstorage::text || ' ' || coalesce(attstattarget, -1) || ' ' || coalesce(attacl::text, '')
                || ' ' || coalesce(col_description(attrelid, attnum), '')
                || ' ' || coalesce((SELECT pg_get_expr(adbin, adrelid) FROM pg_attrdef
                    WHERE adrelid = attrelid AND adnum = attnum), '')
                FROM pg_attribute WHERE attrelid = '\(table)'::regclass AND attnum > 0 AND NOT attisdropped
                    AND attname NOT LIKE 'sluice%'
            UNION ALL SELECT pg_get_statisticsobjdef(oid) FROM pg_statistic_ext WHERE stxrelid = '\(table)'::regclass
            UNION ALL SELECT pg_get_triggerdef(oid) || tgenabled::text FROM pg_trigger
                WHERE tgrelid = '\(table)'::regclass AND NOT tgisinternal AND tgname NOT LIKE '%sluice%'
            UNION ALL SELECT pg_get_expr(polqual, polrelid) FROM pg_policy
            UNION ALL SELECT viewname || definition FROM pg_views WHERE schemaname = 'public'
            ORDER BY 1
            """)
    }

    @Test("a column takes the place of one of the same name, with everything that depends on it, and gives it back")
    func dependents() async throws {
        try await EvolvingDatabase.with(Self.ratings()) { database in
            let before = try await database.structure()
            let definitions = try await Self.definitions(database)
            let spec = EvolvingDatabase.spec([
                .alterColumn(
                    AlterColumn(
                        table: "reviews", column: "code", forward: "upper(code)::varchar(20)",
                        backward: "lower(code)::varchar(20)"))
            ])
            try await database.walk(spec, to: .backfill)
            try await database.sql("INSERT INTO reviews (id, code, user_id) VALUES (4, 'c4', 3)")
            // Nothing of the old version's has changed.
            #expect(try await Self.definitions(database) == definitions)
            try await database.walk(spec, to: .contract)
            #expect(try await Self.definitions(database) == definitions)
            #expect(
                try await database.sql("SELECT id, code FROM reviews ORDER BY id; SELECT shown FROM shorter ORDER BY 1")
                    == "1|C1\n2|C2\n3|NONE\n4|C4\nC1\nC2\nC4\nNONE")
            #expect(try await database.refusal(of: "INSERT INTO reviews (id, code) VALUES (9, 'C1')").contains("23505"))
            #expect(try await database.refusal(of: "UPDATE reviews SET code = 'X' WHERE id = 1").contains("23514"))
            try await database.sql("INSERT INTO reviews (id, code) VALUES (5, 'NEW')")
            for target in [Phase.backfill, .contract, .initial] { try await database.walk(spec, to: target) }
            #expect(try await database.structure() == before)
            #expect(try await database.traces() == "")
            #expect(
                try await database.sql("SELECT id, code FROM reviews ORDER BY id; SELECT shown FROM shorter ORDER BY 1")
                    == "1|c1\n2|c2\n3|none\n4|c4\n5|new\nc1\nc2\nc4\nnew\nnone")
        }
    }

    @Test("a new type under the same name is cast both ways, and a default has to be said")
    func retyped() async throws {
        try await EvolvingDatabase.with(Self.ratings()) { database in
            let before = try await database.structure()
            func alter(default value: String? = nil) -> MigrationSpec {
                EvolvingDatabase.spec([
                    .alterColumn(
                        AlterColumn(
                            table: "reviews", column: "Old rating", nullable: true, default: value, type: "integer",
                            check: #""Old rating" <= 5"#, constraintNames: ConstraintNames(check: "at most five"),
                            comment: "stars"))
                ])
            }
            #expect(try await database.obstacle(alter(), to: .expand).contains("say what the new one is"))
            let spec = alter(default: "3")
            try await database.walk(spec, to: .dualWrite)
            try await database.sql(
                #"INSERT INTO reviews (id, "Old rating", code) VALUES (5, '2', 'c5'); UPDATE reviews SET user_id = 2 WHERE id = 1"#
            )
            try await database.walk(spec, to: .contract)
            #expect(
                try await database.sql(
                    #"INSERT INTO reviews (id, code) VALUES (6, 'c6'); SELECT id, "Old rating" + 1 FROM reviews ORDER BY id"#
                )
                    == "1|5\n2|6\n3|\n5|3\n6|4")
            #expect(
                try await database.refusal(of: #"UPDATE reviews SET "Old rating" = 6"#).contains("23514"))
            try await database.walk(spec, to: .initial)
            #expect(try await database.structure() == before)
            #expect(
                try await database.sql(#"SELECT id, "Old rating" FROM reviews ORDER BY id"#) == "1|4\n2|5\n3|\n5|2\n6|3"
            )
        }
    }

    @Test("a foreign key that is dropped, and one that is added, with rows that break it set right by forward")
    func references() async throws {
        try await EvolvingDatabase.with(Self.ratings()) { database in
            let before = try await database.structure()
            let spec = EvolvingDatabase.spec([
                .alterColumn(
                    AlterColumn(
                        table: "reviews", column: "user_id",
                        references: References(
                            table: "users", columns: ["id"], onDelete: .setNull, deferrable: .deferred),
                        constraintNames: ConstraintNames(references: "user"),
                        dropConstraints: ["author"], forward: "nullif(user_id, 3)", backward: "user_id"))
            ])
            try await database.walk(spec, to: .contract)
            try await database.sql("DELETE FROM users WHERE id = 1")
            #expect(try await database.sql("SELECT id, user_id FROM reviews ORDER BY id") == "1|\n2|2\n3|")
            #expect(try await database.refusal(of: "UPDATE reviews SET user_id = 7").contains("23503"))
            try await database.walk(spec, to: .initial)
            #expect(try await database.structure() == before)
            try await database.sql("DELETE FROM users WHERE id = 2")
            #expect(try await database.sql("SELECT id, user_id FROM reviews ORDER BY id") == "1|\n3|")
        }
    }

    @Test("what cannot be carried over is named before anything is done")
    func obstacles() async throws {
        let more = """
            CREATE MATERIALIZED VIEW codes AS SELECT code FROM reviews;
            CREATE TABLE made (id int PRIMARY KEY, a int, b int GENERATED ALWAYS AS (a * 2) STORED);
            """
        try await EvolvingDatabase.with(Self.ratings() + more) { database in
            let before = try await database.structure()
            func alter(_ table: String, _ column: String, type: String) -> MigrationSpec {
                EvolvingDatabase.spec([
                    .alterColumn(AlterColumn(table: table, column: column, dropDefault: true, type: type))
                ])
            }
            let code = try await database.obstacle(alter("reviews", "code", type: "text"), to: .expand)
            #expect(
                code.contains("materialized view codes, which shows it") && code.contains("view short, which shows it"))
            let made = try await database.obstacle(alter("made", "a", type: "bigint"), to: .expand)
            #expect(made.contains("generated column b, which is made of it"))
            let rename = EvolvingDatabase.spec([
                .renameColumn(RenameColumn(table: "reviews", column: "code", to: "label"))
            ])
            let renamed = try await database.obstacle(rename, to: .expand)
            #expect(
                renamed.contains("policy own") && renamed.contains("trigger loud") && renamed.contains("statistics"))
            #expect(try await database.structure() == before)
        }
    }

    @Test("domains, enumerations and arrays keep their types, whoever writes")
    func otherTypes() async throws {
        let alter = { (column: String, forward: String, backward: String) in
            Change.alterColumn(AlterColumn(table: "t", column: column, forward: forward, backward: backward))
        }
        try await roundTrip(
            """
            CREATE DOMAIN percent AS int CHECK (VALUE BETWEEN 0 AND 100);
            CREATE TYPE mood AS ENUM ('sad', 'happy');
            CREATE TABLE t (id int PRIMARY KEY, p percent DEFAULT 50, m mood, a text[] DEFAULT '{}', j json);
            INSERT INTO t VALUES (1, 10, 'sad', '{x}', '{"a": 1.0}');
            """,
            [
                alter("p", "100 - p", "100 - p"), alter("m", "m", "m"),
                alter("a", "array_append(a, 'new')", "array_remove(a, 'new')"), alter("j", "j", "j"),
            ],
            [
                Stop(
                    .backfill, "INSERT INTO t VALUES (2, 20, 'happy', '{y}', '{}'); SELECT id, p, m, a, j FROM t",
                    "1|10|sad|{x}|{\"a\": 1.0}\n2|20|happy|{y}|{}"),
                Stop(
                    .contract, "UPDATE t SET p = 1 WHERE id = 1; SELECT id, p, m, a, j FROM t ORDER BY id",
                    "1|1|sad|{x,new}|{\"a\": 1.0}\n2|80|happy|{y,new}|{}"),
            ],
            left: ("SELECT * FROM t ORDER BY id", "1|99|sad|{x}|{\"a\": 1.0}\n2|20|happy|{y}|{}")
        )
    }

    @Test("a collation that is not the type's goes over, and expressions are evaluated by it")
    func collation() async throws {
        let changes: [Change] = [
            .renameColumn(RenameColumn(table: "p", column: "m", to: "mail")),
            .alterColumn(
                AlterColumn(
                    table: "p", column: "c", type: "varchar(40)", forward: "CASE WHEN c = 'BOB' THEN 'same' ELSE c END",
                    backward: "c")),
        ]
        try await roundTrip(
            """
            CREATE COLLATION ci (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
            CREATE TABLE p (id int PRIMARY KEY, m text COLLATE ci UNIQUE, c text COLLATE ci);
            INSERT INTO p VALUES (1, 'Bob', 'bob'), (2, 'alice', 'x');
            """,
            changes,
            [
                Stop(
                    .dualWrite, "INSERT INTO p VALUES (3, 'carl', 'Bob'); SELECT mail FROM p WHERE mail = 'CARL'",
                    "carl"),
                Stop(
                    .contract,
                    """
                    SELECT id, c FROM p ORDER BY id; SELECT id FROM p WHERE mail = 'BOB'; SELECT id FROM p WHERE c = 'SAME' ORDER BY id;
                    SELECT attname, collname FROM pg_attribute a JOIN pg_collation c ON c.oid = a.attcollation
                    WHERE attrelid = 'p'::regclass AND attname IN ('mail', 'c') ORDER BY 1
                    """, "1|same\n2|x\n3|same\n1\n1\n3\nc|ci\nmail|ci"),
            ],
            left: ("SELECT id, m FROM p WHERE m = 'BOB'", "1|Bob")
        )
    }

    @Test("what somebody makes on the old column meanwhile keeps it from going, by name")
    func latecomers() async throws {
        try await EvolvingDatabase.with(Self.ratings()) { database in
            let spec = EvolvingDatabase.spec([
                .alterColumn(AlterColumn(table: "reviews", column: "code", forward: "code", backward: "code"))
            ])
            try await database.walk(spec, to: .backfill)
            for (make, name, drop) in [
                ("CREATE INDEX late ON reviews (code)", "index late", "DROP INDEX late"),
                (
                    "ALTER TABLE reviews ADD CONSTRAINT late CHECK (code <> 'z')", "constraint late on table reviews",
                    "ALTER TABLE reviews DROP CONSTRAINT late"
                ),
                ("CREATE VIEW late AS SELECT code FROM reviews", "on view late", "DROP VIEW late"),
            ] {
                try await database.sql(make)
                let obstacle = try await database.obstacle(spec, to: .contract)
                #expect(obstacle.hasPrefix("Dependents: ") && obstacle.contains(name), "\(make)")
                try await database.sql(drop)
            }
            try await database.walk(spec, to: .contract)
            try await database.walk(spec, to: .initial)
        }
    }

    /// What is done to it, what it is called, and what makes it again.
    private static let redefinitions: [(change: String, name: String, mend: String)] = [
        (
            "CREATE OR REPLACE VIEW short WITH (security_barrier = true) AS SELECT id, code AS shown FROM reviews",
            "view short",
            """
            CREATE OR REPLACE VIEW short WITH (security_barrier = true) AS SELECT id, code AS shown FROM reviews
            WHERE length(code) < 9
            """
        ),
        // It does not even read the column any more.
        (
            "CREATE OR REPLACE VIEW short WITH (security_barrier = true) AS SELECT id, 'x'::varchar(20) AS shown FROM reviews",
            "view short",
            """
            CREATE OR REPLACE VIEW short WITH (security_barrier = true) AS SELECT id, code AS shown FROM reviews
            WHERE length(code) < 9
            """
        ),
        (
            "ALTER VIEW short RESET (security_barrier)", "view short", "ALTER VIEW short SET (security_barrier = true)"
        ),
        (
            "ALTER POLICY own ON reviews USING (code <> 'public')", "policy own ON reviews",
            "ALTER POLICY own ON reviews USING (code <> 'secret')"
        ),
        (
            "ALTER TABLE reviews DISABLE TRIGGER loud", "trigger loud ON reviews",
            "ALTER TABLE reviews ENABLE ALWAYS TRIGGER loud"
        ),
        (
            "DROP STATISTICS review_statistics", "statistics public.review_statistics",
            "CREATE STATISTICS review_statistics (dependencies) ON code, user_id FROM reviews"
        ),
    ]

    @Test("what would be made again as it was, and is another by now, keeps the columns from changing places, by name")
    func redefined() async throws {
        try await EvolvingDatabase.with(Self.ratings()) { database in
            let before = try await database.structure()
            let spec = EvolvingDatabase.spec([
                .alterColumn(AlterColumn(table: "reviews", column: "code", forward: "code", backward: "code"))
            ])
            for (from, to) in [(Phase.backfill, Phase.contract), (.contract, .backfill)] {
                try await database.walk(spec, to: from)
                for (change, name, mend) in Self.redefinitions {
                    try await database.sql(change)
                    let changed = try await database.structure()
                    let obstacle = try await database.obstacle(spec, to: to)
                    #expect(
                        obstacle.hasPrefix("Dependents: ") && obstacle.contains(": \(name);"), "\(change): \(obstacle)")
                    #expect(try await database.structure() == changed)
                    try await database.sql(mend)
                }
            }
            try await database.walk(spec, to: .initial)
            #expect(try await database.structure() == before)
        }
    }

    @Test("an index that came over to the new column and is gone is missed")
    func lostIndexes() async throws {
        try await EvolvingDatabase.with(Self.ratings()) { database in
            let spec = EvolvingDatabase.spec([
                .alterColumn(AlterColumn(table: "reviews", column: "code", forward: "code", backward: "code"))
            ])
            try await database.walk(spec, to: .contract)
            for (drop, what, mend) in [
                (
                    #"DROP INDEX "By Code""#, "index By Code of public.reviews is missing",
                    #"CREATE INDEX "By Code" ON reviews (lower(code) text_pattern_ops DESC, id) WHERE code <> 'none'"#
                ),
                (
                    #"ALTER TABLE reviews DROP CONSTRAINT "the code""#,
                    "constraint the code of public.reviews is missing",
                    #"ALTER TABLE reviews ADD CONSTRAINT "the code" UNIQUE (code) DEFERRABLE"#
                ),
            ] {
                try await database.sql(drop)
                let obstacle = try await database.obstacle(spec, to: .contract)
                #expect(obstacle.hasPrefix("Drift: ") && obstacle.contains(what), "\(obstacle)")
                try await database.sql(mend)
                try await database.walk(spec, to: .contract)
            }
        }
    }

    @Test("a table that inherits, or is inherited from, is refused")
    func inheritance() async throws {
        try await EvolvingDatabase.with(Self.items + "CREATE TABLE kept () INHERITS (items);") { database in
            for table in ["items", "kept"] {
                let obstacle = try await database.obstacle(
                    EvolvingDatabase.spec([Self.alter("a", of: table, default: "'x'")]), to: .expand)
                #expect(obstacle.contains("inherit"), "\(table)")
            }
        }
    }

    @Test("a column is renamed: both names hold the same until Contract, and its dependents go with it")
    func renameColumn() async throws {
        try await roundTrip(
            """
            CREATE TABLE "Staff" (id int PRIMARY KEY, "role" text NOT NULL DEFAULT 'none' CHECK ("role" <> ''));
            CREATE UNIQUE INDEX "by role" ON "Staff" ("role");
            COMMENT ON COLUMN "Staff"."role" IS 'what they do';
            INSERT INTO "Staff" VALUES (1, 'cook'), (2, 'waiter');
            """,
            [.renameColumn(RenameColumn(table: "Staff", column: "role", to: "Job title"))],
            [
                Stop(
                    .dualWrite,
                    """
                    UPDATE "Staff" SET "role" = 'chef' WHERE id = 1; UPDATE "Staff" SET "Job title" = 'host' WHERE id = 2;
                    INSERT INTO "Staff" (id) VALUES (3); SELECT * FROM "Staff" ORDER BY id
                    """, "1|chef|chef|o\n2|host|host|n\n3|none|none|o"),
                Stop(
                    .contract,
                    """
                    INSERT INTO "Staff" (id, "Job title") VALUES (4, 'boss'); SELECT id, "Job title" FROM "Staff" ORDER BY id;
                    SELECT indexdef FROM pg_indexes WHERE indexname = 'by role';
                    SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conname = 'Staff_role_check'
                    """,
                    """
                    1|chef
                    2|host
                    3|none
                    4|boss
                    CREATE UNIQUE INDEX "by role" ON public."Staff" USING btree ("Job title")
                    CHECK (("Job title" <> ''::text))
                    """),
            ],
            left: (#"SELECT * FROM "Staff" ORDER BY id"#, "1|chef\n2|host\n3|none\n4|boss")
        )
    }
}
