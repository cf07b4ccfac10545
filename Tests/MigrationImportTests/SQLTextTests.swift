import SchemaChange
import Testing

@testable import MigrationImport

@Suite("SQL text")
struct SQLTextTests {
    @Test("statements end at their own semicolons")
    func statements() throws {
        let text = """
            -- one; not two
            CREATE TABLE a (b text DEFAULT 'x;''y', "c;d" int); /* ; /* nested ; */ ; */
            DO $body$ BEGIN PERFORM 1; END $body$;;
            SELECT E'a\\';b', $$;$$, $1;
            CREATE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT CASE WHEN true THEN 1 END; SELECT 2; END;
            SELECT 2
            """
        let source = try SQLText(text)
        #expect(
            source.statements.map(\.text) == [
                "CREATE TABLE a (b text DEFAULT 'x;''y', \"c;d\" int)",
                "DO ' BEGIN PERFORM 1; END '",
                "SELECT E'a\\';b', ';', $1",
                "CREATE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT CASE WHEN true THEN 1 END; SELECT 2; END",
                "SELECT 2",
            ])
        #expect(source.statements.map { source.place(of: $0.offset).line } == [2, 3, 4, 5, 6])
    }

    @Test("an expression is on one line, without comments, and dollar quotes become plain ones")
    func text() throws {
        let source = try SQLText("a -- first\n  || $q$it's$q$/* x */ ||\tb::text")
        #expect(source.text(of: source.tokens) == "a || 'it''s' || b::text")
    }

    @Test(
        "what does not end, or is no SQL, is refused where it stands",
        arguments: [
            ("SELECT 'x", 7), ("SELECT \"x", 7), ("/* /* */", 0), ("SELECT $a$ $b$", 7), ("\\copy t", 0),
            ("SELECT U&'x'", 7), ("SELECT E'\\x41'", 7),
        ])
    func unclosed(text: String, offset: Int) throws {
        let refusal = #expect(throws: Refusal.self) { try SQLText(text) }
        #expect(refusal?.offset == offset, "\(String(describing: refusal))")
    }

    @Test("lines of another system and a byte order mark are no part of it")
    func marks() throws {
        #expect(try SQLText("\u{FEFF}SELECT 1\r\n -- x\r\n;\r\n").statements.map(\.text) == ["SELECT 1"])
    }

    @Test("names fold as PostgreSQL folds them, numbers and operators end where they should")
    func tokens() throws {
        let kinds = try SQLText("Ärger.\"ÄrGer\" 1.5e-3-2 a<=-1 x::INT4 1..2").tokens.map(\.kind)
        #expect(
            kinds == [
                .word("Ärger"), .sign("."), .name("ÄrGer"), .constant, .sign("-"), .constant, .word("a"), .sign("<=-"),
                .constant, .word("x"), .sign("::"), .word("int4"), .constant, .sign("."), .constant,
            ])
    }

    @Test(
        "SELECT without a table is the expression, and a name alone a column",
        arguments: [
            ("SELECT CASE WHEN a IS NULL THEN 'x' ELSE a END", "CASE WHEN a IS NULL THEN 'x' ELSE a END", nil),
            ("select  a", "a", "a"), ("t.a", "t.a", "a"), ("\"A b\"", "\"A b\"", "A b"), ("NULL", "NULL", nil),
            ("current_date", "current_date", nil), ("SELECT a FROM t", "SELECT a FROM t", nil),
            ("SELECT (SELECT 1 FROM t)", "(SELECT 1 FROM t)", nil), ("SELECT a, b", "SELECT a, b", nil),
        ])
    func expressions(text: String, expression: String, column: String?) throws {
        let read = try SQLExpression(text)
        #expect(read.text == expression)
        #expect(read.column == column)
    }

    @Test("what cannot be part of a proof is seen")
    func obstacles() throws {
        func obstacle(_ text: String) throws -> SQLExpression.Obstacle? { try SQLExpression(text).obstacle }
        #expect(try obstacle("upper(a) || 'now()'") == nil)
        #expect(try obstacle("random") == nil)
        #expect(try obstacle("a || (Random()*10)::int") == .volatile("random()"))
        #expect(try obstacle("now() - age_of(b) + random()") == .volatile("random()"))
        #expect(try obstacle("coalesce(a, CURRENT_TIMESTAMP)") == .stable("CURRENT_TIMESTAMP"))
        #expect(try obstacle("concat(a, b)") == .stable("concat()"))
        #expect(try obstacle("EXISTS (SELECT 1 FROM t)") == .subquery)
    }

    @Test("a file's name becomes a DNS label")
    func names() {
        #expect(MigrationImporter.name(of: "a/b/01_Create_Tables.yaml") == "01-create-tables")
        #expect(MigrationImporter.name(of: "V1.2__größe.sql") == "v1-2-gr-e")
        #expect(MigrationImporter.name(of: "__.sql") == nil)
        #expect(MigrationImporter.name(of: String(repeating: "a", count: 62) + "-b.sql")?.count == 62)
    }
}
