import MigrationEngine
import SchemaChange
import Testing
import YAML

@testable import MigrationImport

/// Each operation of pgroll, as the change that does the same.
@Suite("import pgroll")
struct PgrollTests {
    /// Two tables for the operations to work on.
    private static let base = """
        operations:
        - create_table:
            name: authors
            columns: [{name: id, type: bigint, pk: true}, {name: name, type: text}]
        - create_table:
            name: books
            columns:
            - {name: id, type: serial, pk: true}
            - {name: title, type: varchar(80), nullable: true, default: "'?'"}
            - {name: pages, type: integer}
            - {name: author, type: bigint, nullable: true}
            - {name: isbn, type: text, unique: true}
            - {name: code, type: text, check: {name: code_length, constraint: length(code) = 4}}
        """

    private static func last(_ operations: String, before: [String] = [base]) throws -> ImportedMigration {
        try Imported.last(.pgroll, before + ["operations:\n" + operations])
    }

    @Test("create_table: columns are NOT NULL unless they say otherwise, and what has a name keeps it")
    func createTable() throws {
        let migration = try Imported.last(
            .pgroll,
            [
                """
                {"name": "old", "operations": [{"create_table": {"name": "loans", "comment": "who has what",
                "columns": [
                  {"name": "id", "type": "bigint", "pk": true, "generated": {"identity": {"user_specified_values": "BY DEFAULT"}}},
                  {"name": "reader", "type": "bigint", "references": {"name": "fk_reader", "table": "readers", "column": "id",
                    "on_delete": "SET NULL", "on_update": "CASCADE", "deferrable": true, "initially_deferred": true}},
                  {"name": "day", "type": "date", "nullable": true, "default": "now()", "comment": "from when"},
                  {"name": "days", "type": "int", "unique": true, "check": {"name": "some_days", "constraint": "days > 0"}},
                  {"name": "span", "type": "int", "generated": {"expression": "days * 24"}}],
                "constraints": [
                  {"name": "once", "type": "unique", "columns": ["reader", "day"], "deferrable": true},
                  {"name": "fk_two", "type": "foreign_key", "columns": ["day", "days"],
                    "references": {"table": "plan", "columns": ["a", "b"], "on_delete": "RESTRICT"}},
                  {"name": "alone", "type": "exclude", "exclude": {"index_method": "gist",
                    "elements": "reader WITH =, daterange(day, day + days) WITH &&", "predicate": "days > 1"}}]}}]}
                """
            ])
        let expected = try changes(
            """
            - createTable:
                table: loans
                columns:
                - {name: id, type: bigint, generated: {identity: ByDefault}}
                - {name: reader, type: bigint, nullable: false}
                - {name: day, type: date, default: now(), comment: from when}
                - {name: days, type: int, nullable: false, unique: true}
                - {name: span, type: int, nullable: false, generated: {expression: days * 24}}
                primaryKey: [id]
                constraints:
                - name: fk_reader
                  foreignKey:
                    columns: [reader]
                    references: {table: readers, columns: [id], onDelete: SetNull, onUpdate: Cascade, deferrable: Deferred}
                - {name: some_days, check: days > 0}
                - {name: once, unique: {columns: [reader, day], deferrable: Immediate}}
                - name: fk_two
                  foreignKey: {columns: [day, days], references: {table: plan, columns: [a, b], onDelete: Restrict}}
                - name: alone
                  exclusion:
                    method: gist
                    elements: [{column: reader, with: "="}, {expression: "daterange(day, day + days)", with: "&&"}]
                    where: days > 1
                comment: who has what
            """)
        #expect(migration.spec.changes == expected)
        #expect(migration.notes.isEmpty)
    }

    @Test(
        "each operation is the change that does the same",
        arguments: [
            ("- drop_table: {name: books}", "- dropTable: {table: books}"),
            (
                "- alter_column: {table: books, column: id, type: bigint, up: id, down: id}",
                "- alterColumn: {table: books, column: id, type: bigint}"
            ),
            ("- rename_table: {from: books, to: works}", "- renameTable: {table: books, to: works}"),
            (
                "- add_column: {table: books, up: upper(title), column: {name: caps, type: text, nullable: true, comment: c}}",
                "- addColumn: {table: books, column: {name: caps, type: text}, forward: upper(title), comment: c}"
            ),
            (
                "- add_column: {table: books, column: {name: n, type: int, default: \"1\", unique: true}}",
                "- addColumn: {table: books, column: {name: n, type: int, nullable: false}, default: \"1\", unique: true}"
            ),
            (
                """
                - add_column:
                    table: books
                    column: {name: n, type: int, default: "1", check: {name: n_check, constraint: n > 0}, nullable: true,
                      references: {name: fk_n, table: authors, column: id}}
                """,
                """
                - addColumn: {table: books, column: {name: n, type: int}, default: "1"}
                - addConstraint: {table: books, name: n_check, check: n > 0}
                - addConstraint:
                    {table: books, name: fk_n, foreignKey: {columns: [n], references: {table: authors, columns: [id]}}}
                """
            ),
            (
                "- add_column: {table: books, up: now(), column: {name: at, type: timestamptz, default: now()}}",
                "- addColumn: {table: books, column: {name: at, type: timestamptz, nullable: false}, default: now()}"
            ),
            (
                "- drop_column: {table: books, column: pages, down: \"0\"}",
                "- dropColumn: {table: books, column: pages, backward: \"0\"}"
            ),
            ("- drop_column: {table: books, column: pages}", "- dropColumn: {table: books, column: pages}"),
            (
                "- rename_column: {table: books, from: pages, to: leaves}",
                "- renameColumn: {table: books, column: pages, to: leaves}"
            ),
            (
                "- alter_column: {table: books, column: pages, name: leaves}",
                "- renameColumn: {table: books, column: pages, to: leaves}"
            ),
            (
                "- alter_column: {table: books, column: title, default: null, up: title, down: title}",
                "- alterColumn: {table: books, column: title, dropDefault: true}"
            ),
            (
                "- alter_column: {table: books, column: title, default: \"'!'\", nullable: false, comment: x}",
                """
                - alterColumn: {table: books, column: title, default: "'!'", nullable: false}
                - setComment: {table: books, column: title, comment: x}
                """
            ),
            (
                "- alter_column: {table: books, column: title, comment: null}",
                "- setComment: {table: books, column: title, comment: \"\"}"
            ),
            (
                "- alter_column: {table: books, column: title, nullable: false, up: \"coalesce(title, '-')\", down: title}",
                "- alterColumn: {table: books, column: title, nullable: false, forward: \"coalesce(title, '-')\", backward: title}"
            ),
            (
                "- alter_column: {table: books, column: pages, nullable: true, up: pages, down: \"SELECT coalesce(pages, 0)\"}",
                "- alterColumn: {table: books, column: pages, nullable: true, forward: pages, backward: \"coalesce(pages, 0)\"}"
            ),
            (
                "- alter_column: {table: books, column: pages, type: text, up: pages::text, down: pages::int}",
                "- alterColumn: {table: books, column: pages, type: text, forward: \"pages::text\", backward: \"pages::int\"}"
            ),
            (
                """
                - alter_column:
                    {table: books, column: pages, check: {name: c, constraint: pages > 0}, unique: {name: u}, up: abs(pages),
                     down: pages, references: {name: r, table: authors, column: id, on_delete: CASCADE}}
                """,
                """
                - alterColumn:
                    {table: books, column: pages, check: pages > 0, unique: true,
                     references: {table: authors, columns: [id], onDelete: Cascade},
                     constraintNames: {check: c, unique: u, references: r}, forward: abs(pages), backward: pages}
                """
            ),
            (
                "- alter_column: {table: books, column: pages, check: {name: c, constraint: pages > 0}, up: pages, down: pages}",
                "- addConstraint: {table: books, name: c, check: pages > 0}"
            ),
            (
                """
                - create_index:
                    table: books
                    name: i
                    unique: true
                    method: btree
                    predicate: pages > 1
                    storage_parameters: fillfactor = 70, deduplicate_items=false
                    columns:
                    - {column: title, collate: C, sort: DESC, nulls: LAST, opclass: {name: text_pattern_ops}}
                    - {column: isbn, opclass: {name: gist_trgm_ops, params: [siglen=32]}}
                """,
                """
                - createIndex:
                    table: books
                    name: i
                    unique: true
                    method: btree
                    where: pages > 1
                    with: {fillfactor: "70", deduplicate_items: "false"}
                    columns:
                    - {column: title, collation: C, order: Descending, nulls: Last, opclass: text_pattern_ops}
                    - {column: isbn, opclass: gist_trgm_ops (siglen=32)}
                """
            ),
            (
                "- create_index: {table: books, name: i, columns: [title, isbn]}",
                "- createIndex: {table: books, name: i, columns: [{column: title}, {column: isbn}]}"
            ),
            (
                "- create_index: {table: books, name: i, columns: {title: {sort: ASC}}}",
                "- createIndex: {table: books, name: i, columns: [{column: title, order: Ascending}]}"
            ),
            (
                "- create_constraint: {table: books, name: u, type: unique, columns: [title, pages], up: {}, down: {}}",
                "- addConstraint: {table: books, name: u, unique: {columns: [title, pages]}}"
            ),
            (
                """
                - create_constraint:
                    {table: books, name: c, type: check, check: pages > 0, columns: [pages], up: {pages: abs(pages)}, down: {pages: pages}}
                """,
                """
                - alterColumn:
                    {table: books, column: pages, check: pages > 0, constraintNames: {check: c}, forward: abs(pages),
                     backward: pages}
                """
            ),
            (
                """
                - create_constraint:
                    {table: books, name: f, type: foreign_key, columns: [author], up: {author: author}, down: {author: author},
                     references: {table: authors, columns: [id], on_update: CASCADE}}
                """,
                """
                - addConstraint:
                    {table: books, name: f, foreignKey: {columns: [author], references: {table: authors, columns: [id], onUpdate: Cascade}}}
                """
            ),
            (
                "- create_constraint: {table: t, name: p, type: primary_key, columns: [a], up: {a: a}, down: {a: a}}",
                "- addConstraint: {table: t, name: p, primaryKey: {columns: [a]}}"
            ),
            (
                "- drop_constraint: {table: books, name: code_length, up: code, down: code}",
                "- dropConstraint: {table: books, name: code_length}"
            ),
            (
                "- drop_constraint: {table: books, name: code_length, up: code, down: \"substr(code, 1, 4)\"}",
                """
                - alterColumn: {table: books, column: code, dropConstraints: [code_length], forward: code, backward: "substr(code, 1, 4)"}
                """
            ),
            (
                "- drop_multicolumn_constraint: {table: books, name: code_length, down: {code: \"substr(code, 1, 4)\"}}",
                """
                - alterColumn: {table: books, column: code, dropConstraints: [code_length], forward: code, backward: "substr(code, 1, 4)"}
                """
            ),
            (
                "- rename_constraint: {table: books, from: books_isbn_key, to: one_isbn}",
                "- renameConstraint: {table: books, from: books_isbn_key, to: one_isbn}"
            ),
            (
                "- set_replica_identity: {table: books, identity: {type: full}}",
                "- setReplicaIdentity: {table: books, identity: Full}"
            ),
            (
                "- set_replica_identity: {table: books, identity: {type: index, index: books_pkey}}",
                "- setReplicaIdentity: {table: books, index: books_pkey}"
            ),
            (
                "- sql: {up: \"CREATE VIEW v AS SELECT 1; SELECT 2\", down: DROP VIEW v}",
                "- sql: {expand: [CREATE VIEW v AS SELECT 1, SELECT 2], rollback: [DROP VIEW v]}"
            ),
            (
                "- sql: {up: ALTER TABLE books ADD seen date, onComplete: true}",
                """
                - sql:
                    {tables: [books], contract: [ALTER TABLE books ADD seen date], contractRollback: [ALTER TABLE books DROP COLUMN seen]}
                """
            ),
        ])
    func operation(operation: String, expected: String) throws {
        #expect(try Self.last(operation).spec.changes == (try changes(expected)))
    }

    @Test("what cannot be proven is done in place, and a note says what that means")
    func inPlace() throws {
        let unique = try Self.last(
            "- alter_column: {table: books, column: code, unique: {name: u}, up: \"code || random()\", down: code}")
        #expect(
            unique.spec.changes == (try changes("- addConstraint: {table: books, name: u, unique: {columns: [code]}}")))
        #expect(unique.notes.count == 1)
        #expect(unique.notes.first?.contains("random()") == true)
        #expect(unique.notes.first?.contains("break u") == true)

        let key = try Self.last(
            """
            - alter_column:
                table: books
                column: author
                references: {name: fk, table: authors, column: id}
                nullable: false
                up: SELECT CASE WHEN EXISTS (SELECT 1 FROM authors a WHERE a.id = author) THEN author END
                down: author
            """)
        #expect(
            key.spec.changes
                == (try changes(
                    """
                    - alterColumn: {table: books, column: author, nullable: false}
                    - addConstraint:
                        {table: books, name: fk, foreignKey: {columns: [author], references: {table: authors, columns: [id]}}}
                    """)))
        #expect(key.notes.first?.contains("reads a table") == true)

        let dropped = try Self.last(
            "- drop_constraint: {table: books, name: books_isbn_key, up: isbn, down: \"isbn || random()\"}")
        #expect(dropped.spec.changes == (try changes("- dropConstraint: {table: books, name: books_isbn_key}")))
        #expect(dropped.notes.first?.contains("Going back") == true)
    }

    @Test("a name that is no column is taken for the column itself, and a default goes along with the type")
    func slips() throws {
        let wrong = try Self.last(
            "- alter_column: {table: books, column: title, nullable: false, up: \"coalesce(title, '')\", down: titel}")
        #expect(
            wrong.spec.changes
                == (try changes(
                    "- alterColumn: {table: books, column: title, nullable: false, forward: \"coalesce(title, '')\", backward: title}"
                )))
        #expect(wrong.notes.first?.contains("titel, which is no column of books") == true)

        let typed = try Self.last("- alter_column: {table: books, column: title, type: text, up: title, down: title}")
        guard case .alterColumn(let change) = typed.spec.changes[0] else { throw Unexpected() }
        #expect(change.default == "CAST(CAST(('?') AS varchar(80)) AS text)")
        // Another table may know more than the files do.
        let unknown = try Self.last("- alter_column: {table: t, column: c, type: text, up: c, down: c}")
        #expect(unknown.notes.first?.contains("has a default") == true)
    }

    private struct Unexpected: Error {}

    @Test(
        "what cannot be taken over is refused, with its place",
        arguments: [
            ("- add_column: {table: books, column: {name: n, type: int}}", "NOT NULL, and nothing says"),
            ("- add_column: {table: books, column: {name: n, type: serial}}", "would rewrite the table"),
            ("- add_column: {table: books, column: {name: n, type: int, pk: true}}", "primary key"),
            ("- add_column: {table: books, up: random(), column: {name: n, type: int}}", "calls random()"),
            (
                "- add_column: {table: books, column: {name: u, type: uuid, default: gen_random_uuid()}}",
                "gen_random_uuid()"
            ),
            (
                "- add_column: {table: books, column: {name: pages, type: int, default: \"1\"}}",
                "has a column \"pages\""
            ),
            ("- alter_column: {table: books, column: pages, type: text, up: \"pages || random()\"}", "calls random()"),
            ("- alter_column: {table: books, column: page, nullable: true}", "no column \"page\"; it has id, title"),
            ("- alter_column: {table: books, column: pages}", "changes nothing"),
            ("- alter_column: {table: books, column: pages, name: x, type: text}", "a file of its own"),
            ("- drop_column: {table: books, column: id}", "part of the primary key"),
            ("- drop_index: {name: nowhere}", "none of the files given makes the index"),
            ("- drop_constraint: {table: books, name: nothing, up: a, down: a}", "no constraint \"nothing\"; it has"),
            ("- create_constraint: {table: books, name: c, type: odd, up: {}, down: {}}", "type \"odd\""),
            ("- sql: {up: CREATE INDEX CONCURRENTLY i ON books (pages)}", "cannot run here"),
            ("- sql: {up: \"SELECT 'x\"}", "a string is not closed"),
            ("- set_replica_identity: {table: books, identity: {type: some}}", "\"some\""),
        ])
    func refused(operation: String, reason: String) throws {
        let problem = try #require(try Imported.problems(.pgroll, [Self.base, "operations:\n" + operation]).first)
        #expect(problem.path == "files/02.txt")
        #expect(problem.line == 2)
        #expect(problem.place?.hasPrefix("operations[0].") == true)
        #expect(problem.reason.contains(reason), "\(problem)")
    }

    @Test(
        "a file that is not pgroll's is refused where it goes wrong",
        arguments: [
            ("operations:\n- add_columns: {}", 2, 3), ("operations:\n- drop_table: {name: a, force: true}", 2, 25),
            ("operations:\n- drop_index: {}", 2, 15), ("operation: []", 1, 1), ("operations: [", 2, 1),
            ("operations:\n- drop_table: {name: a}\n  drop_index: {name: b}", 2, 3),
        ])
    func malformed(text: String, line: Int, column: Int) throws {
        let problem = try #require(try Imported.problems(.pgroll, [text]).first)
        #expect(problem.line == line, "\(problem)")
        #expect(problem.column == column, "\(problem)")
    }

    @Test("all that is wrong with a file is said at once")
    func several() throws {
        let problems = try Imported.problems(
            .pgroll,
            [Self.base, "operations:\n- drop_index: {name: a}\n- drop_table: {name: authors}\n- drop_index: {name: b}"])
        #expect(problems.map(\.line) == [2, 4])
    }
}
