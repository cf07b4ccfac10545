import Testing

@testable import SchemaChange

@Suite("expressions as text")
struct ExpressionTests {
    @Test(
        "an expression that stays one between parentheses has no flaw",
        arguments: [
            "a", "a + 1", "split_part(full_name, ' ', 1)", "'it''s'", "'a;b'", "'--'", "'/*'", "'('", #"E'\''"#,
            #"'\'"#, #"e'\\'"#, #""odd "" name" || ';'"#, "a[1]", "(a)", "a - -1", "a$b", "tag$1$x",
            "x::numeric(10, 2)",
            "CASE WHEN a THEN '$$' END", "'\u{301}'", "'é\u{301}'", "naïve", #"te'\'"#, "1 / 2", "'a\r\nb'",
        ]
    )
    func sound(text: String) {
        #expect(Expression.flaw(in: text) == nil)
    }

    @Test(
        "one that would not is refused with the reason",
        arguments: [
            ("", "empty"), (" \n\t", "empty"), ("a\0b", "NUL"), ("a; DROP TABLE t", "semicolon"),
            ("a) + (b", "never opened"),
            ("f(a", "not closed"), ("a[1", "not closed"), ("a)", "never opened"), ("'a", "string is not closed"),
            (#"E'\'"#, "string is not closed"), (#""a"#, "quoted name"), ("a -- b", "comment"),
            ("a /* b */", "comment"),
            ("a--1", "comment"), ("$$a$$", "dollar"), ("$tag$a$tag$", "dollar"), ("$_$;$_$", "dollar"),
            ("$é$;$é$", "dollar"),
            // A quote with a combining mark is one character, but PostgreSQL reads scalars.
            ("'\u{301}'); DROP TABLE t; --'", "never opened"),
        ]
    )
    func flawed(text: String, reason: String) throws {
        let flaw = try #require(Expression.flaw(in: text))
        #expect(flaw.contains(reason))
    }
}
