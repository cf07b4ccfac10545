import MigrationEngine
import SchemaChange

/// The rows of the matrix, one for each way of each kind: to have another kind walked, killed and taken back on all servers,
/// add it here.
extension Scenario {
    static let all = adding + inPlace + sameName + twoSides + moving + leaving + oneSided + partitioned

    static let oldPhases = Phase.initial...Phase.backfill
    static let newPhases = Phase.dualWrite...Phase.contract

    static let text = "CREATE TABLE items (id int PRIMARY KEY, a text NOT NULL);"
    private static let oldText = Write(["a": "'a' || $k"], old: "'a' || $k")

    // MARK: addColumn

    private static let adding = [
        Scenario(
            description: "addColumn",
            setUp: text,
            changes: [.addColumn(AddColumn(table: "items", column: NewColumn(name: "b", type: "int")))],
            old: Version(oldPhases, reads: "a", update: oldText),
            new: Version(
                newPhases, reads: "b::text", update: Write(["b": "$k"], new: "$k::text"),
                insert: Write(["a": "'n' || $k", "b": "$k"], old: "'n' || $k", new: "$k::text"))
        ),
        Scenario(
            description: "addColumn, default",
            setUp: text,
            changes: [
                .addColumn(
                    AddColumn(
                        table: "items", column: NewColumn(name: "b", type: "int", nullable: false), default: "7"))
            ],
            old: Version(
                oldPhases, reads: "a", update: oldText, insert: Write(["a": "'a' || $k"], old: "'a' || $k", new: "'7'")),
            new: Version(
                newPhases, reads: "b::text", update: Write(["b": "$k"], new: "$k::text"),
                insert: Write(["a": "'n' || $k"], old: "'n' || $k", new: "'7'"))
        ),
        Scenario(
            description: "addColumn, forward",
            setUp: text,
            changes: [
                .addColumn(
                    AddColumn(
                        table: "items", column: NewColumn(name: "b", type: "text", nullable: false),
                        default: "'none'", forward: "upper(a)"))
            ],
            // What the new version wrote stays, whatever the old one writes beside it.
            old: Version(
                oldPhases, reads: "a",
                update: Write(
                    ["a": "'a' || $k"], old: "'a' || $k",
                    new: "CASE WHEN meant_new LIKE 'n%' THEN meant_new ELSE 'A' || $k END"),
                insert: Write(["a": "'a' || $k"], old: "'a' || $k", new: "'A' || $k")),
            new: Version(
                newPhases, reads: "b", update: Write(["b": "'n' || $k"], new: "'n' || $k"),
                insert: Write(["a": "'x'", "b": "'n' || $k"], old: "'x'", new: "'n' || $k"))
        ),
    ]

    // MARK: alterColumn, in place

    static let bothText = Write(["a": "'a' || $k"], old: "'a' || $k", new: "'a' || $k")

    private static let inPlace = [
        Scenario(
            description: "alterColumn, nullable and default",
            setUp: text,
            changes: [.alterColumn(AlterColumn(table: "items", column: "a", nullable: true, default: "'none'"))],
            old: Version(oldPhases, reads: "a", update: bothText),
            new: Version(
                newPhases, reads: "a", update: bothText,
                insert: Write([:], old: "'none'", new: "'none'"))
        ),
        Scenario(
            description: "alterColumn, not null",
            setUp: "CREATE TABLE items (id int PRIMARY KEY, a text);",
            changes: [.alterColumn(AlterColumn(table: "items", column: "a", nullable: false, dropDefault: true))],
            old: Version(oldPhases, reads: "a", update: bothText),
            new: Version(newPhases, reads: "a", update: bothText)
        ),
    ]

    // MARK: alterColumn, same name

    private static let sameName = [
        Scenario(
            description: "alterColumn, type",
            setUp: """
                CREATE TABLE items (id int PRIMARY KEY, a text NOT NULL DEFAULT '0');
                CREATE INDEX items_a ON items (a);
                """,
            changes: [.alterColumn(AlterColumn(table: "items", column: "a", default: "0", type: "bigint"))],
            old: Version(
                oldPhases, reads: "a", update: Write(["a": "$k::text"], old: "$k::text", new: "$k::text"),
                insert: Write([:], old: "'0'", new: "'0'")),
            new: Version(
                .contract ... .contract, reads: "a::text",
                update: Write(["a": "$k"], old: "$k::text", new: "$k::text"))
        ),
        Scenario(
            description: "alterColumn, constraints",
            setUp: """
                CREATE TABLE items (id int PRIMARY KEY, a varchar(40) NOT NULL UNIQUE, CONSTRAINT low CHECK (a = lower(a)));
                CREATE INDEX items_prefix ON items (lower(a) text_pattern_ops) WHERE a <> 'none';
                """,
            changes: [
                .alterColumn(
                    AlterColumn(
                        table: "items", column: "a", check: "a = upper(a)",
                        dropConstraints: ["low"], forward: "upper(a)", backward: "lower(a)"))
            ],
            old: Version(
                oldPhases, reads: "a", update: Write(["a": "'a' || $k"], old: "'a' || $k", new: "'A' || $k")),
            new: Version(
                .contract ... .contract, reads: "a",
                update: Write(["a": "'N' || $k"], old: "'n' || $k", new: "'N' || $k"))
        ),
        Scenario(
            description: "alterColumn, foreign key",
            setUp: """
                CREATE TABLE owners (id int PRIMARY KEY);
                INSERT INTO owners SELECT generate_series(0, 9);
                CREATE TABLE items (
                    id int PRIMARY KEY, a int CONSTRAINT owner REFERENCES owners (id) ON DELETE CASCADE);
                CREATE INDEX items_owner ON items (a);
                """,
            changes: [
                .alterColumn(
                    AlterColumn(
                        table: "items", column: "a",
                        references: References(table: "owners", onDelete: .setNull),
                        constraintNames: ConstraintNames(references: "new_owner"),
                        dropConstraints: ["owner"], forward: "9 - a", backward: "9 - a"))
            ],
            old: Version(
                oldPhases, reads: "a::text",
                update: Write(["a": "$k % 10"], old: "($k % 10)::text", new: "(9 - $k % 10)::text")),
            new: Version(
                .contract ... .contract, reads: "a::text",
                update: Write(["a": "$k % 10"], old: "(9 - $k % 10)::text", new: "($k % 10)::text"))
        ),
    ]

    // MARK: Two sides

    private static let twoSides = [
        Scenario(
            description: "alterColumn, new name",
            setUp: "CREATE TABLE items (id int PRIMARY KEY, price int);",
            changes: [
                .alterColumn(
                    AlterColumn(
                        table: "items", column: "price", to: NewColumn(name: "cents", type: "bigint"),
                        forward: "price::bigint * 100", backward: "(cents / 100)::int"))
            ],
            old: Version(
                oldPhases, reads: "price::text",
                update: Write(["price": "$k"], old: "$k::text", new: "($k * 100)::text"),
                insert: Write(["price": "NULL::int"])),
            new: Version(
                newPhases, reads: "cents::text",
                update: Write(["cents": "$k * 100 + 7"], old: "$k::text", new: "($k * 100 + 7)::text"))
        ),
        Scenario(
            description: "replaceColumns, split",
            setUp: "CREATE TABLE items (id int PRIMARY KEY, full_name text NOT NULL);",
            changes: [
                .replaceColumns(
                    ReplaceColumns(
                        table: "items", from: ["full_name"],
                        to: [
                            NewColumn(name: "first", type: "text", nullable: false),
                            NewColumn(name: "last", type: "text"),
                        ],
                        forward: [
                            "first": "split_part(full_name, ' ', 1)",
                            "last": "nullif(split_part(full_name, ' ', 2), '')",
                        ],
                        backward: ["full_name": "first || coalesce(' ' || last, '')"]))
            ],
            old: Version(
                oldPhases, reads: "full_name",
                update: Write(
                    ["full_name": "'A' || $k || ' B' || $k"], old: "'A' || $k || ' B' || $k",
                    new: "'A' || $k || '/B' || $k"),
                insert: Write(["full_name": "'C' || $k"], old: "'C' || $k", new: "'C' || $k || '/'")),
            // Words that backward joins, and forward would part elsewhere.
            new: Version(
                newPhases, reads: "first || '/' || coalesce(last, '')",
                update: Write(
                    ["first": "'N M' || $k", "last": "'L'"], old: "'N M' || $k || ' L'", new: "'N M' || $k || '/L'"),
                insert: Write(["first": "'N' || $k"], old: "'N' || $k", new: "'N' || $k || '/'"))
        ),
        Scenario(
            description: "replaceColumns, merge",
            setUp: """
                CREATE TABLE items (id int PRIMARY KEY, first text NOT NULL, last text NOT NULL DEFAULT '-');
                CREATE INDEX items_last ON items (last);
                """,
            changes: [
                .replaceColumns(
                    ReplaceColumns(
                        table: "items", from: ["first", "last"],
                        to: [NewColumn(name: "full_name", type: "text", nullable: false)],
                        forward: ["full_name": "first || ' ' || last"],
                        backward: [
                            "first": "split_part(full_name, ' ', 1)",
                            "last": "substr(full_name, strpos(full_name, ' ') + 1)",
                        ]))
            ],
            old: Version(
                oldPhases, reads: "first || '/' || last",
                update: Write(
                    ["first": "'A' || $k", "last": "'B'"], old: "'A' || $k || '/B'", new: "'A' || $k || ' B'"),
                insert: Write(["first": "'A' || $k"], old: "'A' || $k || '/-'", new: "'A' || $k || ' -'")),
            new: Version(
                newPhases, reads: "full_name",
                update: Write(
                    ["full_name": "'N M' || $k || ' L'"], old: "'N/M' || $k || ' L'", new: "'N M' || $k || ' L'"))
        ),
        Scenario(
            description: "renameColumn",
            setUp: """
                CREATE TABLE items (id int PRIMARY KEY, a text NOT NULL DEFAULT 'none', CHECK (a <> ''));
                CREATE INDEX items_a ON items (a);
                COMMENT ON COLUMN items.a IS 'what it is';
                """,
            changes: [.renameColumn(RenameColumn(table: "items", column: "a", to: "b"))],
            old: Version(
                oldPhases, reads: "a", update: bothText, insert: Write([:], old: "'none'", new: "'none'")),
            new: Version(
                newPhases, reads: "b", update: Write(["b": "'n' || $k"], old: "'n' || $k", new: "'n' || $k"))
        ),
    ]

    // MARK: To another table

    private static let moving = [
        Scenario(
            description: "moveToTable",
            setUp: """
                CREATE TABLE items (id int PRIMARY KEY, a text NOT NULL, b text);
                CREATE TABLE parts (item int PRIMARY KEY REFERENCES items ON DELETE CASCADE, note text);
                """,
            changes: [
                .moveToTable(
                    MoveToTable(
                        table: "items", columns: [.init(name: "a"), .init(name: "b", to: "c")], to: "parts",
                        key: ["id": "item"]))
            ],
            old: Version(
                oldPhases, reads: "coalesce(a, '') || '/' || coalesce(b, '')",
                update: Write(["a": "'a' || $k", "b": "NULL"], old: "'a' || $k || '/'", new: "'a' || $k || '/'"),
                insert: Write(
                    ["a": "'a' || $k", "b": "'b'"], old: "'a' || $k || '/b'", new: "'a' || $k || '/b'")),
            // By the row of items first, as the old version does: so neither waits for the other in a circle.
            new: Version(
                newPhases,
                reads:
                    "coalesce((SELECT coalesce(a, '') || '/' || coalesce(c, '') FROM parts WHERE item = items.id), '/')",
                update: Write(
                    [:], old: "'n' || $k || '/' || $k", new: "'n' || $k || '/' || $k",
                    beside: """
                        INSERT INTO parts (item, a, c) SELECT id, 'n' || $k, '$k' FROM written
                        ON CONFLICT (item) DO UPDATE SET a = excluded.a, c = excluded.c
                        """),
                insert: Write(
                    [:], old: "'n' || $k || '/'", new: "'n' || $k || '/'",
                    beside: "INSERT INTO parts (item, a) SELECT id, 'n' || $k FROM written"))
        )
    ]

    // MARK: What goes, and what is the user's own

    private static let leaving = [
        Scenario(
            description: "dropColumn",
            setUp: "CREATE TABLE items (id int PRIMARY KEY, a text DEFAULT 'none', b int);",
            changes: [.dropColumn(DropColumn(table: "items", column: "a"))],
            old: Version(oldPhases, reads: "a", update: oldText),
            new: Version(
                newPhases, reads: "b::text", update: Write(["b": "$k"], new: "$k::text"),
                insert: Write(["b": "$k"], old: "'none'", new: "$k::text"))
        ),
        Scenario(
            description: "dropColumn, backward",
            setUp:
                "CREATE TABLE items (id int PRIMARY KEY, a text NOT NULL, b int); CREATE INDEX items_a ON items (a);",
            changes: [.dropColumn(DropColumn(table: "items", column: "a", backward: "'b' || b"))],
            old: Version(
                oldPhases, reads: "a", update: Write(["a": "'a' || $k", "b": "1"], old: "'a' || $k", new: "'1'")),
            new: Version(
                newPhases, reads: "b::text", update: Write(["b": "$k"], new: "$k::text"),
                insert: Write(["b": "$k"], old: "'b' || $k", new: "$k::text"))
        ),
        Scenario(
            description: "sql",
            setUp: text,
            changes: [
                .sql(
                    SQLChange(
                        tables: ["items"],
                        expand: ["ALTER TABLE items ADD b text", "CREATE TABLE notes (id int PRIMARY KEY)"],
                        rollback: ["DROP TABLE notes", "ALTER TABLE items DROP b"],
                        contract: ["ALTER TABLE items ALTER b SET DEFAULT 'none'"],
                        contractRollback: ["ALTER TABLE items ALTER b DROP DEFAULT"]))
            ],
            old: Version(oldPhases, reads: "a", update: oldText),
            new: Version(
                newPhases, reads: "b", update: Write(["b": "'b' || $k"], new: "'b' || $k"),
                insert: Write(["a": "'n' || $k", "b": "'b' || $k"], old: "'n' || $k", new: "'b' || $k"))
        ),
    ]
}
