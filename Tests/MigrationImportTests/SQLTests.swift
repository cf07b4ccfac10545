import MigrationEngine
import MigrationImport
import SchemaChange
import Testing

/// Each statement of SQL, as the change that does the same without stopping anybody.
@Suite("import sql")
struct SQLTests {
    private static let base = """
        CREATE TABLE authors (id bigint PRIMARY KEY, name text NOT NULL);
        CREATE TABLE books (id serial PRIMARY KEY, title varchar(80) DEFAULT '?', pages int NOT NULL, author bigint);
        CREATE INDEX books_title ON books (title);
        """

    @Test("CREATE TABLE, with all that stands in it")
    func createTable() throws {
        let migration = try Imported.last(
            .sql,
            [
                """
                CREATE TABLE IF NOT EXISTS public."Loans" (
                    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, -- the key
                    reader bigint NOT NULL CONSTRAINT fk_reader REFERENCES readers (id) ON DELETE SET NULL ON UPDATE CASCADE
                        DEFERRABLE INITIALLY DEFERRED,
                    at timestamp with time zone DEFAULT now() NOT NULL,
                    price numeric(10, 2) CHECK (price > 0),
                    tags text[] UNIQUE,
                    span int GENERATED ALWAYS AS (id::int * 24) STORED,
                    day date REFERENCES days,
                    CONSTRAINT once UNIQUE (reader, at),
                    CHECK (price < 100 AND tags <> '{}'),
                    FOREIGN KEY (day, span) REFERENCES plan (a, b) ON DELETE RESTRICT,
                    EXCLUDE USING gist (reader WITH =, tstzrange(at, at + '1 day') WITH &&) WHERE (price > 1)
                );
                """
            ])
        let expected = try changes(
            """
            - createTable:
                table: Loans
                columns:
                - {name: id, type: bigint, generated: {identity: Always}}
                - {name: reader, type: bigint, nullable: false}
                - {name: at, type: timestamp with time zone, nullable: false, default: now()}
                - {name: price, type: "numeric(10, 2)", check: price > 0}
                - {name: tags, type: "text[]", unique: true}
                - {name: span, type: int, generated: {expression: "id::int * 24"}}
                - {name: day, type: date, references: {table: days}}
                primaryKey: [id]
                constraints:
                - name: fk_reader
                  foreignKey:
                    columns: [reader]
                    references: {table: readers, columns: [id], onDelete: SetNull, onUpdate: Cascade, deferrable: Deferred}
                - {name: once, unique: {columns: [reader, at]}}
                - {name: Loans_check, check: "price < 100 AND tags <> '{}'"}
                - name: Loans_day_span_fkey
                  foreignKey: {columns: [day, span], references: {table: plan, columns: [a, b], onDelete: Restrict}}
                - name: Loans_reader_expr_excl
                  exclusion:
                    method: gist
                    elements: [{column: reader, with: "="}, {expression: "tstzrange(at, at + '1 day')", with: "&&"}]
                    where: price > 1
            """)
        #expect(migration.spec.changes == expected)
        #expect(migration.notes.first?.contains("IF NOT EXISTS") == true)
    }

    @Test(
        "each statement is the change that does the same",
        arguments: [
            ("ALTER TABLE books ADD COLUMN n int", "- addColumn: {table: books, column: {name: n, type: int}}"),
            (
                "ALTER TABLE ONLY public.books ADD n int DEFAULT 1 NOT NULL CHECK (n > 0) UNIQUE, DROP pages",
                """
                - addColumn: {table: books, column: {name: n, type: int, nullable: false}, default: "1", check: n > 0, unique: true}
                - dropColumn: {table: books, column: pages}
                """
            ),
            ("ALTER TABLE books RENAME pages TO leaves", "- renameColumn: {table: books, column: pages, to: leaves}"),
            (
                "ALTER TABLE books RENAME COLUMN title TO \"Title\"",
                "- renameColumn: {table: books, column: title, to: Title}"
            ),
            ("ALTER TABLE books RENAME TO works", "- renameTable: {table: books, to: works}"),
            (
                "ALTER TABLE books RENAME CONSTRAINT books_pkey TO pk",
                "- renameConstraint: {table: books, from: books_pkey, to: pk}"
            ),
            (
                "ALTER TABLE books ALTER COLUMN title TYPE text USING lower(title)",
                """
                - alterColumn:
                    {table: books, column: title, type: text, forward: lower(title), default: "CAST(CAST(('?') AS varchar(80)) AS text)"}
                """
            ),
            (
                "ALTER TABLE books ALTER pages SET DATA TYPE bigint",
                "- alterColumn: {table: books, column: pages, type: bigint}"
            ),
            (
                "ALTER TABLE books ALTER pages SET DEFAULT 1, ALTER pages DROP NOT NULL; ALTER TABLE books ALTER title DROP DEFAULT",
                """
                - alterColumn: {table: books, column: pages, default: "1", nullable: true}
                - alterColumn: {table: books, column: title, dropDefault: true}
                """
            ),
            (
                "ALTER TABLE books ALTER title SET NOT NULL",
                "- alterColumn: {table: books, column: title, nullable: false}"
            ),
            (
                "ALTER TABLE books ADD CHECK (pages > 0) NOT VALID; ALTER TABLE books VALIDATE CONSTRAINT books_check",
                "- addConstraint: {table: books, name: books_check, check: pages > 0}"
            ),
            (
                "ALTER TABLE books ADD CONSTRAINT u UNIQUE (title) DEFERRABLE",
                "- addConstraint: {table: books, name: u, unique: {columns: [title], deferrable: Immediate}}"
            ),
            (
                "ALTER TABLE books ADD FOREIGN KEY (author) REFERENCES authors ON DELETE CASCADE",
                """
                - addConstraint:
                    {table: books, name: books_author_fkey, foreignKey: {columns: [author], references: {table: authors, onDelete: Cascade}}}
                """
            ),
            ("ALTER TABLE t DROP CONSTRAINT c RESTRICT", "- dropConstraint: {table: t, name: c}"),
            ("ALTER TABLE books REPLICA IDENTITY FULL", "- setReplicaIdentity: {table: books, identity: Full}"),
            (
                """
                CREATE UNIQUE INDEX CONCURRENTLY i ON books USING btree (title COLLATE "C" text_pattern_ops DESC NULLS LAST,
                    lower(title), (pages + 1)) INCLUDE (author) WITH (fillfactor = 70) WHERE pages > 1 AND title <> ';'
                """,
                """
                - createIndex:
                    table: books
                    name: i
                    unique: true
                    method: btree
                    columns:
                    - {column: title, collation: C, opclass: text_pattern_ops, order: Descending, nulls: Last}
                    - {expression: lower(title)}
                    - {expression: pages + 1}
                    include: [author]
                    with: {fillfactor: "70"}
                    where: pages > 1 AND title <> ';'
                """
            ),
            ("CREATE INDEX ON books (pages)", "- createIndex: {table: books, columns: [{column: pages}]}"),
            ("DROP INDEX CONCURRENTLY books_title", "- dropIndex: {table: books, name: books_title}"),
            (
                "ALTER TYPE state ADD VALUE IF NOT EXISTS 'it''s' BEFORE 'x'",
                "- addEnumValue: {type: state, value: \"it's\", before: x}"
            ),
            ("COMMENT ON TABLE books IS 'all; of them'", "- setComment: {table: books, comment: all; of them}"),
            (
                "COMMENT ON COLUMN public.books.title IS NULL",
                "- setComment: {table: books, column: title, comment: \"\"}"
            ),
            ("DROP TABLE authors, books", "- dropTable: {table: authors}\n- dropTable: {table: books}"),
            (
                // As pg_dump writes it.
                """
                BEGIN;
                CREATE TABLE a (id int NOT NULL, b int);
                CREATE TABLE b (id int PRIMARY KEY);
                ALTER TABLE ONLY a ALTER COLUMN b SET DEFAULT 3;
                ALTER TABLE ONLY a ADD CONSTRAINT a_pkey PRIMARY KEY (id);
                ALTER TABLE ONLY a ADD CONSTRAINT some CHECK (b > 0);
                ALTER TABLE ONLY a ADD CONSTRAINT fk FOREIGN KEY (b) REFERENCES b (id);
                CREATE INDEX i ON a (b);
                COMMENT ON COLUMN a.b IS 'x';
                COMMIT;
                """,
                """
                - createTable:
                    table: a
                    columns: [{name: id, type: int, nullable: false}, {name: b, type: int, default: "3", comment: x}]
                    primaryKey: [id]
                    constraints: [{name: some, check: b > 0}]
                - createTable: {table: b, columns: [{name: id, type: int}], primaryKey: [id]}
                - addConstraint:
                    {table: a, name: fk, enforce: Expand, foreignKey: {columns: [b], references: {table: b, columns: [id]}}}
                - createIndex: {table: a, name: i, columns: [{column: b}]}
                """
            ),
        ])
    func statement(statement: String, expected: String) throws {
        let migration = try Imported.last(.sql, [Self.base, statement])
        #expect(migration.spec.changes == (try changes(expected)))
    }

    @Test(
        "what is not taken over is refused, with its place and the way by hand",
        arguments: [
            ("SELECT 1;\nUPDATE books SET pages = 1", [(1, 1, "SELECT"), (2, 1, "kind sql")]),
            ("CREATE VIEW v AS SELECT 1", [(1, 8, "CREATE VIEW")]),
            ("CREATE TABLE a (b int) PARTITION BY RANGE (b)", [(1, 24, "PARTITION")]),
            ("CREATE TABLE a AS SELECT 1", [(1, 16, "CREATE TABLE AS")]),
            ("CREATE TABLE a (b)", [(1, 17, "has no type")]),
            ("CREATE TABLE other.a (b int)", [(1, 14, "another schema")]),
            ("-- x\nALTER TABLE books ADD n int NOT NULL", [(2, 1, "NOT NULL, and nothing says")]),
            ("ALTER TABLE books ADD n int PRIMARY KEY", [(1, 1, "primary key")]),
            ("ALTER TABLE books ADD n uuid DEFAULT gen_random_uuid()", [(1, 1, "gen_random_uuid()")]),
            ("ALTER TABLE books DROP id", [(1, 1, "part of the primary key")]),
            ("ALTER TABLE books ALTER title TYPE text USING title || random()", [(1, 1, "calls random()")]),
            ("ALTER TABLE books DROP title CASCADE", [(1, 30, "CASCADE")]),
            ("ALTER TABLE books OWNER TO me", [(1, 19, "OWNER TO ME")]),
            ("ALTER TABLE books ADD UNIQUE USING INDEX i", [(1, 30, "USING INDEX")]),
            ("CREATE INDEX i ON books (nothing)", [(1, 1, "no column \"nothing\"")]),
            ("DROP INDEX nowhere", [(1, 1, "none of the files")]),
            ("DROP TABLE books; CREATE TABLE books (id int)", [(1, 19, "takes \"books\" away and makes it again")]),
            ("ALTER TABLE books ADD n int; ALTER TABLE books RENAME n TO m", [(1, 30, "changed twice")]),
            ("SELECT 'x", [(1, 8, "not closed")]),
            ("-- nothing", [(nil, nil, "no statement")]),
        ] as [(String, [(Int?, Int?, String)])])
    func refused(text: String, expected: [(Int?, Int?, String)]) throws {
        let problems = try Imported.problems(.sql, [Self.base, text])
        #expect(problems.count == expected.count, "\(problems)")
        for (problem, (line, column, reason)) in zip(problems, expected) {
            #expect(problem.line == line, "\(problem)")
            #expect(problem.column == column, "\(problem)")
            #expect(problem.reason.contains(reason), "\(problem)")
        }
    }
}
