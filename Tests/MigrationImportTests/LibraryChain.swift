/// Migrations of pgroll for the database of a library, each on top of those before it: every operation, and the turns that
/// expressions take in files of people.
enum LibraryChain {
    static let files: [(name: String, text: String)] = [
        (
            "01_tables.yaml",
            """
            operations:
            - create_table:
                name: readers
                columns:
                - {name: id, type: integer, pk: true}
                - {name: name, type: varchar(100), unique: true}
                - {name: phone, type: text, nullable: true}
            - create_table:
                name: fines
                columns:
                - {name: reader, type: integer, pk: true}
                - {name: day, type: date, pk: true}
                - {name: cents, type: integer}
            - create_table:
                name: titles
                comment: what can be borrowed
                columns:
                - {name: id, type: bigint, pk: true, generated: {identity: {user_specified_values: BY DEFAULT}}}
                - {name: name, type: varchar(200), comment: as on the cover}
                - {name: width, type: "decimal(6,1)"}
            - create_table:
                name: opinions
                columns:
                - {name: id, type: serial, pk: true}
                - {name: reader, type: text}
                - {name: title, type: text}
                - {name: words, type: text, nullable: true}
            - create_table:
                name: notes
                columns:
                - {name: id, type: serial, pk: true}
                - {name: heading, type: varchar(100)}
                - {name: staff_id, type: integer, nullable: true}
            - create_table:
                name: guests
                columns:
                - {name: id, type: integer, pk: true}
                - {name: name, type: text, check: {name: guest_name, constraint: length(name) > 2}}
                - {name: first_day, type: date, nullable: true}
                - {name: last_day, type: date, nullable: true}
                constraints:
                - {name: guest_days, type: check, check: last_day >= first_day}
            """
        ),
        (
            "02_more_of_titles.json",
            """
            {"operations": [
              {"add_column": {"table": "titles", "up": "UPPER(name)",
                "column": {"name": "caps", "type": "varchar(200)", "nullable": true}}},
              {"add_column": {"table": "titles",
                "column": {"name": "copies", "type": "int", "nullable": false, "default": "1"}}},
              {"add_column": {"table": "titles", "up": "name || ', unsorted'",
                "column": {"name": "shelf", "type": "text", "comment": "where it stands"}}}]}
            """
        ),
        ("03_members.yaml", "operations: [{rename_table: {from: readers, to: members}}]"),
        (
            "04_staff.yaml",
            """
            operations:
            - sql:
                up: CREATE TABLE staff (id INTEGER PRIMARY KEY, name TEXT)
                down: DROP TABLE staff
            """
        ),
        (
            "05_badge.yaml",
            """
            operations:
            - add_column:
                table: staff
                up: upper(name)
                column: {name: badge, type: text, nullable: true}
            - drop_table: {name: fines}
            """
        ),
        (
            "06_thin_titles.yaml",
            """
            operations:
            - drop_column: {table: titles, column: width, down: "0"}
            - create_index: {name: titles_name, table: titles, columns: [{column: name, sort: DESC, nulls: LAST}]}
            """
        ),
        ("07_no_index.yaml", "operations: [{drop_index: {name: titles_name}}]"),
        ("08_renamed.yaml", "operations: [{rename_column: {table: titles, from: copies, to: in_stock}}]"),
        (
            "09_one_opinion.yaml",
            """
            operations:
            - alter_column:
                table: opinions
                column: words
                unique: {name: opinions_words}
                up: words || '-' || (random()*1000000)::integer
                down: words
            """
        ),
        (
            "10_words.yaml",
            """
            operations:
            - alter_column:
                table: opinions
                column: words
                nullable: false
                up: SELECT CASE WHEN words IS NULL THEN title || ' is good' ELSE words END
                down: words
            - add_column:
                table: opinions
                column: {name: stars, type: text, default: "0"}
            """
        ),
        (
            "11_stars.yaml",
            """
            operations:
            - alter_column: {table: opinions, column: stars, type: integer, up: CAST(stars AS integer), down: CAST(stars AS text)}
            """
        ),
        (
            "12_loans.yaml",
            """
            operations:
            - create_table:
                name: loans
                columns:
                - {name: id, type: serial, pk: true}
                - {name: member, type: integer, references: {name: fk_member, table: members, column: id}}
                - {name: state, type: varchar(20), default: "'out'"}
                - {name: cents, type: "decimal(10,2)", default: "0.00"}
                - {name: at, type: timestamptz, default: now()}
            - alter_column:
                table: notes
                column: staff_id
                references: {name: fk_staff, table: staff, column: id, on_delete: CASCADE}
                up: SELECT CASE WHEN EXISTS (SELECT 1 FROM staff WHERE staff.id = staff_id) THEN staff_id ELSE NULL END
                down: staff_id
            - alter_column:
                table: notes
                column: heading
                check: {name: heading_length, constraint: length(heading) > 3}
                up: SELECT CASE WHEN length(heading) <= 3 THEN LPAD(heading, 4, '.') ELSE heading END
                down: heading
            """
        ),
        (
            "13_looser.yaml",
            """
            operations:
            - drop_constraint:
                table: notes
                name: heading_length
                up: heading
                down: SELECT CASE WHEN length(heading) <= 3 THEN LPAD(heading, 4, '.') ELSE heading END
            - drop_constraint:
                table: notes
                name: fk_staff
                up: staff_id
                down: SELECT CASE WHEN EXISTS (SELECT 1 FROM staff WHERE staff.id = staff_id) THEN staff_id ELSE NULL END
            - drop_constraint:
                table: opinions
                name: opinions_words
                up: words
                down: words || (random()*1000000)::integer
            """
        ),
        (
            "14_guests.yaml",
            """
            operations:
            - add_column:
                table: guests
                column: {name: age, type: integer, default: "18", check: {name: of_age, constraint: age >= 18}}
            - set_replica_identity: {table: titles, identity: {type: index, index: titles_pkey}}
            - create_constraint:
                table: guests
                name: one_stay
                type: unique
                columns: [name, first_day]
                up: {name: name, first_day: first_day}
                down: {name: name, first_day: first_day}
            """
        ),
        (
            "15_greeting.yaml",
            """
            operations:
            - add_column:
                table: guests
                up: "'welcome'"
                column: {name: greeting, type: varchar(50), comment: said at the door}
            - rename_constraint: {table: guests, from: guest_name, to: guest_name_length}
            """
        ),
        (
            "16_headings.yaml",
            """
            operations:
            - alter_column:
                table: notes
                column: heading
                nullable: true
                up: heading
                down: SELECT CASE WHEN heading IS NULL THEN 'nothing' ELSE heading END
            """
        ),
        ("17_born.yaml", "operations: [{sql: {up: ALTER TABLE guests ADD COLUMN born date, onComplete: true}}]"),
        (
            "18_readings.yaml",
            """
            operations:
            - create_table:
                name: readings
                columns:
                - {name: id, type: serial, pk: true}
                - {name: name, type: varchar(100), nullable: true, default: "'<to be said>'", comment: of the evening}
            """
        ),
        (
            "19_much_at_once.yaml",
            """
            operations:
            - alter_column:
                table: readings
                column: name
                type: text
                default: "'an evening'"
                nullable: false
                comment: the whole name of the evening
                unique: {name: readings_name}
                check: {name: readings_name_length, constraint: length(name) > 3}
                up: SELECT CASE WHEN name IS NULL OR LENGTH(name) <= 3 THEN 'some evening ' || id ELSE name END
                down: reading_name
            - drop_multicolumn_constraint:
                table: guests
                name: guest_days
                down: {first_day: first_day, last_day: "greatest(first_day, last_day)"}
            """
        ),
        (
            "20_quiet.yaml",
            """
            operations:
            - alter_column: {table: readings, column: name, comment: null, up: name, down: name}
            - alter_column: {table: loans, column: id, type: bigint, up: id, down: id}
            """
        ),
    ]

    /// Rows that come between, after the file of that name: what `up` makes of them shows in ``expected``.
    static let rows: [String: String] = [
        "01_tables.yaml": """
        INSERT INTO titles (name, width) VALUES ('Momo', 12.5), ('Emil', 11);
        INSERT INTO opinions (reader, title, words) VALUES ('Ada', 'Momo', 'grey men'), ('Cher', 'Emil', NULL);
        INSERT INTO notes (heading) VALUES ('keys');
        """,
        "18_readings.yaml": "INSERT INTO readings (name) VALUES (NULL), ('abc'), ('Poems of the sea');",
    ]

    /// What is there at the end, as psql prints it.
    static let expected: [(query: String, rows: String)] = [
        (
            "SELECT name, caps, in_stock, shelf FROM titles ORDER BY id",
            "Momo|MOMO|1|Momo, unsorted\nEmil|EMIL|1|Emil, unsorted"
        ),
        ("SELECT words, stars + 1 FROM opinions ORDER BY id", "grey men|1\nEmil is good|1"),
        ("SELECT name FROM readings ORDER BY id", "some evening 1\nsome evening 2\nPoems of the sea"),
        (
            "SELECT conname FROM pg_constraint WHERE conrelid = 'guests'::regclass ORDER BY 1",
            "guest_name_length\nguests_pkey\nof_age\none_stay"
        ),
        ("SELECT relreplident FROM pg_class WHERE relname = 'titles'", "i"),
        ("SELECT count(*) FROM members", "0"),
    ]
}
