import Foundation
import MigrationEngine
import SchemaChange
import TestSupport
import Testing

extension ChangeKindTests {
    static let split = Change.replaceColumns(
        ReplaceColumns(
            table: "people",
            from: ["full_name"],
            to: [NewColumn(name: "first", type: "text"), NewColumn(name: "last", type: "text")],
            forward: [
                "first": "split_part(full_name, ' ', 1)",
                "last": "substr(full_name, strpos(full_name || ' ', ' ') + 1)",
            ],
            backward: ["full_name": "CASE WHEN last = '' THEN first ELSE first || ' ' || last END"]
        )
    )
    static let people = """
        CREATE TABLE people (id int PRIMARY KEY, full_name text NOT NULL);
        INSERT INTO people VALUES (1, 'Ada Lovelace'), (2, 'Cher'), (3, 'Alan Turing'), (4, 'Grace Hopper');
        """

    @Test("one column is split into two, and what the new version wrote survives Contract and the way back")
    func split() async throws {
        let rows = "SELECT * FROM (SELECT id, full_name, first, last FROM people) p ORDER BY id"
        try await roundTrip(
            Self.people,
            [Self.split],
            [
                Stop(
                    .dualWrite,
                    "UPDATE people SET last = 'Byron' WHERE id = 1; UPDATE people SET full_name = 'Al T' WHERE id = 3; \(rows)",
                    "1|Ada Byron|Ada|Byron\n2|Cher||\n3|Al T|Al|T\n4|Grace Hopper||"
                ),
                Stop(
                    .backfill,
                    rows,
                    "1|Ada Byron|Ada|Byron\n2|Cher|Cher|\n3|Al T|Al|T\n4|Grace Hopper|Grace|Hopper"
                ),
                Stop(
                    .contract,
                    """
                    UPDATE people SET last = 'Bono' WHERE id = 2; INSERT INTO people (id, first, last) VALUES (5, 'Joan', 'Clarke');
                    SELECT id, first, last FROM people ORDER BY id
                    """,
                    "1|Ada|Byron\n2|Cher|Bono\n3|Al|T\n4|Grace|Hopper\n5|Joan|Clarke"
                ),
                Stop(
                    .backfill,
                    "UPDATE people SET full_name = 'Grace H' WHERE id = 4; \(rows)",
                    "1|Ada Byron|Ada|Byron\n2|Cher Bono|Cher|Bono\n3|Al T|Al|T\n4|Grace H|Grace|H\n5|Joan Clarke|Joan|Clarke"
                ),
            ],
            left: (
                "SELECT * FROM people ORDER BY id", "1|Ada Byron\n2|Cher Bono\n3|Al T\n4|Grace H\n5|Joan Clarke"
            )
        )
    }

    @Test("two columns are merged into one")
    func merge() async throws {
        try await roundTrip(
            """
            CREATE TABLE places (id uuid PRIMARY KEY, street text, city text NOT NULL DEFAULT 'Bonn');
            INSERT INTO places VALUES ('00000000-0000-0000-0000-000000000001', 'Ring 1', 'Ulm'),
                ('00000000-0000-0000-0000-000000000002', NULL, 'Aue');
            """,
            [
                .replaceColumns(
                    ReplaceColumns(
                        table: "places",
                        from: ["street", "city"],
                        to: [NewColumn(name: "address", type: "text")],
                        forward: ["address": "coalesce(street, '') || ', ' || city"],
                        backward: [
                            "street": "nullif(split_part(address, ', ', 1), '')",
                            "city": "split_part(address, ', ', 2)",
                        ]
                    )
                )
            ],
            [
                Stop(
                    .dualWrite,
                    "UPDATE places SET city = 'Köln' WHERE street IS NULL; SELECT street, city, address FROM places ORDER BY id",
                    "Ring 1|Ulm|\n|Köln|, Köln"
                ),
                Stop(
                    .backfill,
                    """
                    UPDATE places SET address = 'Weg 2, Hof' WHERE city = 'Ulm';
                    SELECT street, city, address FROM places ORDER BY id
                    """,
                    "Weg 2|Hof|Weg 2, Hof\n|Köln|, Köln"
                ),
                Stop(
                    .contract, "UPDATE places SET address = 'Tor 3, Hof'; SELECT DISTINCT address FROM places",
                    "Tor 3, Hof"),
            ],
            left: ("SELECT street, city FROM places", "Tor 3|Hof\nTor 3|Hof")
        )
    }
}
