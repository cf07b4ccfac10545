import Foundation
import MigrationEngine
import SchemaChange
import TestSupport
import Testing

extension ChangeKindTests {
    @Test("a new column gets its constraints when it is filled, and a comment at once")
    func columnWithConstraints() async throws {
        let constraints = """
            SELECT conname, convalidated FROM pg_constraint WHERE conrelid = '"Größe"'::regclass AND contype <> 'n'
                AND conname LIKE '%order%' ORDER BY 1
            """
        try await roundTrip(
            #"""
            CREATE EXTENSION citext; CREATE DOMAIN code AS text; CREATE TABLE codes (code code PRIMARY KEY);
            INSERT INTO codes VALUES ('A1'), ('A2'), ('A3');
            CREATE TABLE "Größe" (id int PRIMARY KEY); INSERT INTO "Größe" VALUES (1), (2);
            """#,
            [
                .addColumn(
                    AddColumn(
                        table: "Größe", column: NewColumn(name: "order", type: "code", nullable: false),
                        forward: "'A' || id::text", check: "\"order\" <> ''", unique: true,
                        references: References(table: "codes", onDelete: .cascade), comment: "it's ours")),
                .addColumn(
                    AddColumn(
                        table: "Größe", column: NewColumn(name: "n", type: "int", nullable: false),
                        generated: .init(identity: .always))),
                .addColumn(
                    AddColumn(
                        table: "Größe", column: NewColumn(name: "twice", type: "citext"),
                        generated: .init(expression: "(id * 2)::text"))),
            ],
            [
                Stop(.dualWrite, "\(constraints); SELECT col_description('\"Größe\"'::regclass, 2)", "it's ours"),
                Stop(
                    .backfill, "\(constraints); SELECT id, \"order\", n, twice FROM \"Größe\" ORDER BY id",
                    "Größe_order_check|t\nGröße_order_fkey|t\nGröße_order_key|t\n1|A1|1|2\n2|A2|2|4"),
                Stop(
                    .contract, "DELETE FROM codes WHERE code = 'A2'; SELECT count(*) FROM \"Größe\"", "1"),
                Stop(.backfill, "INSERT INTO \"Größe\" (id) VALUES (3); SELECT count(*) FROM \"Größe\"", "2"),
            ],
            left: ("SELECT * FROM \"Größe\" ORDER BY id", "1\n3")
        )
    }

    @Test("a generated column or identity on a table that is not small is refused, with the safe way")
    func generatedRefused() async throws {
        try await EvolvingDatabase.with(
            "CREATE TABLE big AS SELECT i AS id, repeat('x', 500) AS x FROM generate_series(1, 4000) i;"
        ) { database in
            for (generated, safeWay) in [
                (TableColumn.Generated(identity: .always), "sequence"), (.init(expression: "id * 2"), "as forward"),
            ] {
                let change = AddColumn(
                    table: "big", column: NewColumn(name: "c", type: "bigint"), generated: generated)
                let obstacle = try await database.obstacle(EvolvingDatabase.spec([.addColumn(change)]), to: .expand)
                #expect(obstacle.hasPrefix("WouldLock: ") && obstacle.contains(safeWay), "\(obstacle)")
            }
        }
    }

    @Test("a replica identity is set at Expand, and is as it was afterwards")
    func replicaIdentity() async throws {
        let setUp = #"""
            CREATE TABLE a (id int PRIMARY KEY); CREATE TABLE b (id int NOT NULL); CREATE UNIQUE INDEX "b ""i""" ON b (id);
            CREATE TABLE c (id int NOT NULL); CREATE UNIQUE INDEX ci ON c (id); ALTER TABLE c REPLICA IDENTITY USING INDEX ci;
            CREATE TABLE d (id int); ALTER TABLE d REPLICA IDENTITY FULL;
            """#
        let identities =
            "SELECT string_agg(relreplident, '' ORDER BY relname) FROM pg_class WHERE relname IN ('a', 'b', 'c', 'd')"
        try await roundTrip(
            setUp,
            [
                .setReplicaIdentity(SetReplicaIdentity(table: "a", identity: .full)),
                .setReplicaIdentity(SetReplicaIdentity(table: "b", index: "b \"i\"")),
                .setReplicaIdentity(SetReplicaIdentity(table: "c", identity: .nothing)),
                .setReplicaIdentity(SetReplicaIdentity(table: "d", identity: .primaryKey)),
            ],
            [Stop(.expand, identities, "find"), Stop(.contract, identities, "find")],
            left: (identities, "ddif")
        )
    }

    @Test("an enum gets a value where it is wanted, once, and keeps it; what is no enum is refused")
    func enumValue() async throws {
        try await EvolvingDatabase.with(#"CREATE TYPE "My ""mood""" AS ENUM ('good', 'bad'); CREATE DOMAIN d AS int;"#)
        {
            database in
            func spec(_ change: AddEnumValue) -> MigrationSpec { EvolvingDatabase.spec([.addEnumValue(change)]) }
            let values = #"SELECT unnest(enum_range(NULL::"My ""mood"""))"#
            let mixed = AddEnumValue(type: "My \"mood\"", value: "it's so", after: "good")
            try await database.walk(spec(mixed), to: .contract)
            #expect(try await database.sql(values) == "good\nit's so\nbad")
            try await database.walk(spec(mixed), to: .initial)
            #expect(try await database.sql(values) == "good\nit's so\nbad")
            try await database.walk(spec(mixed), to: .expand)
            try await database.sql("CREATE TABLE rows (id int); CREATE TYPE pair AS (a int, b int)")
            for (wrong, field, word) in [
                (AddEnumValue(type: "d", value: "x"), "type", "is a domain, and values are added to an enum"),
                (AddEnumValue(type: "rows", value: "x"), "type", "is the row type of a table"),
                (AddEnumValue(type: "pair", value: "x"), "type", "is a composite type"),
                (AddEnumValue(type: "none", value: "x"), "type", "there is no type \"none\" in schema \"public\""),
                (AddEnumValue(type: "My \"mood\"", value: "x", before: "missing"), "before", "missing"),
            ] {
                let obstacle = try await database.obstacle(spec(wrong), to: .expand, name: uniqueName("m"))
                #expect(
                    obstacle.hasPrefix("InvalidChange: changes[0].addEnumValue.\(field)") && obstacle.contains(word),
                    "\(obstacle)")
            }
        }
    }

    @Test("a comment is set at Expand, and the one before comes back")
    func comments() async throws {
        try await roundTrip(
            Self.items + "COMMENT ON TABLE items IS 'it''s old'; COMMENT ON COLUMN items.a IS 'a';",
            [
                .setComment(SetComment(table: "items", comment: "new \\ 'comment'")),
                .setComment(SetComment(table: "items", column: "a", comment: "")),
                .setComment(SetComment(table: "items", column: "price", comment: "in €")),
            ],
            [
                Stop(
                    .expand,
                    """
                    SELECT obj_description('items'::regclass), col_description('items'::regclass, 2) IS NULL,
                        col_description('items'::regclass, 3)
                    """, "new \\ 'comment'|t|in €")
            ],
            left: ("SELECT count(*) FROM items", "2")
        )
    }
}
