import Foundation
import MigrationEngine
import SchemaChange
import TestSupport
import Testing

extension ChangeKindTests {
    static let moveAddress = Change.moveToTable(
        MoveToTable(
            table: "people", columns: [.init(name: "street"), .init(name: "city", to: "town")], to: "addresses",
            key: ["id": "person"]))

    /// Addresses are there, with something of their own, of the first two of the people.
    static let peopleAndAddresses = """
        CREATE TABLE people (id int PRIMARY KEY, name text, street text, city text NOT NULL);
        CREATE TABLE addresses (
            person int PRIMARY KEY REFERENCES people (id) ON DELETE CASCADE, note text NOT NULL DEFAULT 'none');
        CREATE INDEX people_city ON people (city);
        INSERT INTO people VALUES (1, 'Ada', 'Ring 1', 'Ulm'), (2, 'Bob', NULL, 'Aue'), (3, 'Cem', 'Weg 3', 'Bonn'),
            (4, 'Dora', 'Tor 4', 'Köln');
        INSERT INTO addresses VALUES (1, 'one'), (2, 'two');
        """

    private static let bothSides = """
        SELECT p.id, p.street, p.city, a.street, a.town, a.note FROM people p LEFT JOIN addresses a ON a.person = p.id
        ORDER BY p.id
        """

    @Test("columns go to a table that is there, and what either version wrote survives Contract and the way back")
    func moveToTable() async throws {
        try await roundTrip(
            Self.peopleAndAddresses,
            [Self.moveAddress],
            [
                Stop(
                    .dualWrite,
                    """
                    UPDATE people SET street = 'Hof 1' WHERE id = 1; UPDATE addresses SET town = 'Au' WHERE person = 2;
                    UPDATE people SET city = 'Trier' WHERE id = 3; INSERT INTO people VALUES (5, 'Eva', 'Allee 5', 'Jena');
                    WITH p AS (INSERT INTO people (id, name) VALUES (6, 'Fritz') RETURNING id)
                    INSERT INTO addresses (person, street, town) SELECT id, 'Gasse 6', 'Mainz' FROM p;
                    \(Self.bothSides)
                    """,
                    """
                    1|Hof 1|Ulm|Hof 1||one
                    2||Au||Au|two
                    3|Weg 3|Trier|Weg 3|Trier|none
                    4|Tor 4|Köln|||
                    5|Allee 5|Jena|Allee 5|Jena|none
                    6|Gasse 6|Mainz|Gasse 6|Mainz|none
                    """
                ),
                Stop(
                    .backfill,
                    """
                    DELETE FROM people WHERE id = 5; UPDATE addresses SET street = NULL WHERE person = 4;
                    \(Self.bothSides)
                    """,
                    """
                    1|Hof 1|Ulm|Hof 1|Ulm|one
                    2||Au||Au|two
                    3|Weg 3|Trier|Weg 3|Trier|none
                    4||Köln||Köln|none
                    6|Gasse 6|Mainz|Gasse 6|Mainz|none
                    """
                ),
                Stop(
                    .contract,
                    """
                    UPDATE addresses SET town = 'Worms' WHERE person = 6; UPDATE addresses SET street = 'Tor 9' WHERE person = 4;
                    INSERT INTO people (id, name) VALUES (7, 'Gerd'); INSERT INTO addresses VALUES (7, 'seven', 'Platz 7', 'Hof');
                    SELECT person, street, town, note FROM addresses ORDER BY person
                    """,
                    """
                    1|Hof 1|Ulm|one
                    2||Au|two
                    3|Weg 3|Trier|none
                    4|Tor 9|Köln|none
                    6|Gasse 6|Worms|none
                    7|Platz 7|Hof|seven
                    """
                ),
                Stop(
                    .backfill,
                    "UPDATE people SET street = 'Hof 2' WHERE id = 1; \(Self.bothSides)",
                    """
                    1|Hof 2|Ulm|Hof 2|Ulm|one
                    2||Au||Au|two
                    3|Weg 3|Trier|Weg 3|Trier|none
                    4|Tor 9|Köln|Tor 9|Köln|none
                    6|Gasse 6|Worms|Gasse 6|Worms|none
                    7|Platz 7|Hof|Platz 7|Hof|seven
                    """
                ),
                // What is written while there are no triggers is the old version's, and is found on the way back.
                Stop(
                    .expand, "UPDATE people SET street = 'Hof 3' WHERE id = 1; SELECT street FROM addresses LIMIT 1", ""
                ),
                Stop(.backfill, "SELECT street, town, note FROM addresses WHERE person = 1", "Hof 3|Ulm|one"),
            ],
            left: (
                "SELECT * FROM people ORDER BY id; SELECT * FROM addresses ORDER BY person",
                """
                1|Ada|Hof 3|Ulm
                2|Bob||Au
                3|Cem|Weg 3|Trier
                4|Dora|Tor 9|Köln
                6|Fritz|Gasse 6|Worms
                7|Gerd|Platz 7|Hof
                1|one
                2|two
                3|none
                4|none
                6|none
                7|seven
                """
            )
        )
    }

    @Test(
        "columns go to a table that the same Migration makes, and are indexed there; once keepFor is over they are gone"
    )
    func moveToNewTable() async throws {
        let setUp = """
            CREATE TABLE people (tenant int, id int, bio json, tags text[], UNIQUE (tenant, id),
                born numeric, number int GENERATED ALWAYS AS IDENTITY PRIMARY KEY);
            ALTER TABLE people ALTER tenant SET NOT NULL, ALTER id SET NOT NULL;
            INSERT INTO people SELECT 1, i, '{"a": 1}', ARRAY['x', 'y'], 1.0 FROM generate_series(1, 20) i;
            INSERT INTO people SELECT 2, i FROM generate_series(1, 5) i;
            """
        let make = CreateTable(
            table: "profiles",
            columns: [
                TableColumn(name: "person", type: "int4"), TableColumn(name: "tenant", type: "int"),
                TableColumn(name: "number", type: "bigserial"),
            ],
            primaryKey: ["tenant", "person"],
            constraints: [
                NewConstraint(
                    name: "of_person",
                    foreignKey: .init(
                        columns: ["person", "tenant"],
                        references: References(table: "people", columns: ["id", "tenant"], onDelete: .cascade)))
            ])
        let changes: [Change] = [
            .createTable(make),
            .moveToTable(
                MoveToTable(
                    table: "people",
                    columns: [.init(name: "bio"), .init(name: "tags"), .init(name: "born", to: "year")],
                    to: "profiles", key: ["tenant": "tenant", "id": "person"])),
            .createIndex(CreateIndex(table: "profiles", columns: [.init(column: "year")])),
        ]
        try await EvolvingDatabase.with(setUp) { database in
            let before = try await database.structure()
            let spec = EvolvingDatabase.spec(changes, keepFor: .zero)
            let report = try await database.walk(spec, to: .backfill)
            #expect(report.certificate?.rowsCompared == 25)
            #expect(try await database.sql("SELECT count(*), count(bio), min(year) FROM profiles") == "20|20|1.0")
            #expect(
                try await database.sql(
                    "SELECT indexrelid::regclass FROM pg_index WHERE indrelid = 'profiles'::regclass AND NOT indisunique"
                ) == "profiles_year_idx")
            // Equal as numbers, and yet another image.
            try await database.sql("UPDATE people SET born = 1.00 WHERE id = 7 AND tenant = 1")
            #expect(try await database.sql("SELECT year FROM profiles WHERE person = 7") == "1.00")
            try await database.walk(spec, to: .initial)
            #expect(try await database.structure() == before)
            #expect(try await database.traces() == "")
            try await database.walk(spec, to: .contract)
            #expect(try await database.traces() != "")
            try await database.walk(spec, to: .contract)
            #expect(try await database.traces() == "")
            #expect(try await database.sql("SELECT * FROM people WHERE id = 7 AND tenant = 1") == "1|7|7")
            #expect(try await database.sql("SELECT count(*), count(tags) FROM profiles") == "20|20")
            #expect(try await database.sql("SELECT count(*) FROM pg_views WHERE schemaname = 'sluice'") == "0")
        }
    }

    @Test("what is said of a column, and who may use it alone, goes with it, and stays on the way back")
    func moveWithRights() async throws {
        // Roles are the server's, and other tests have some too.
        let (clerk, reader) = (uniqueName("Clerk").quotedIdentifier, uniqueName("reader").quotedIdentifier)
        let setUp =
            Self.peopleAndAddresses + """
                CREATE ROLE \(clerk); CREATE ROLE \(reader);
                COMMENT ON COLUMN people.city IS 'where it''s';
                GRANT SELECT (id, street, city), UPDATE (city) ON people TO \(clerk);
                GRANT SELECT (street) ON people TO PUBLIC; GRANT INSERT (city) ON people TO \(reader) WITH GRANT OPTION;
                GRANT DELETE ON people TO \(reader);
                """
        let found = """
            SELECT attname, CASE grantee WHEN 0 THEN 'all' WHEN '\(clerk)'::regrole THEN 'clerk' ELSE 'reader' END,
                privilege_type, is_grantable
            FROM pg_attribute, aclexplode(attacl) WHERE attrelid = 'addresses'::regclass AND NOT attisdropped ORDER BY 1, 2, 3;
            SELECT col_description('addresses'::regclass, attnum) FROM pg_attribute
            WHERE attrelid = 'addresses'::regclass AND attname = 'town'; SELECT coalesce(relacl::text, 'its own') FROM pg_class WHERE relname = 'addresses'
            """
        let rights = """
            street|all|SELECT|f
            street|clerk|SELECT|f
            town|clerk|SELECT|f
            town|clerk|UPDATE|f
            town|reader|INSERT|t
            where it's
            its own
            """
        try await roundTrip(
            setUp, [Self.moveAddress],
            [
                Stop(.expand, found, rights), Stop(.backfill, found, rights), Stop(.expand, found, rights),
                Stop(.contract, found, rights), Stop(.backfill, found, rights),
            ],
            left: ("SELECT count(*) FROM people", "4"))
    }
}
