import PostgreSQL
import TestSupport
import Testing

@Suite("a connection to PostgreSQL")
struct PostgresConnectionTests {
    @Test("parameters of every kind arrive as they were sent")
    func parameters() async throws {
        try await withDatabaseConnection { connection in
            let row = try await connection.query(
                """
                SELECT $1::bigint AS number, $2::text AS word, $3::boolean AS flag, $4::text AS nothing,
                    $5::text[] AS list, $6::bytea AS bytes, ($5::text[])[2] IS NULL AS hole, 1.5 AS half
                """,
                [-42, "naïve 𝒳 'quoted' \\ \"x\"", true, nil, .textArray(["a,b", nil, "q\"\\"]), .bytes([0, 255])]
            ).row()
            #expect(try row.integer("number") == -42)
            #expect(try row.text("word") == "naïve 𝒳 'quoted' \\ \"x\"")
            #expect(try row.boolean("flag"))
            #expect(row["nothing"] == nil)
            #expect(row["list"] == #"{"a,b",NULL,"q\"\\"}"#)
            #expect(row["bytes"] == #"\x00ff"#)
            #expect(try row.boolean("hole"))
            #expect(try row.double("half") == 1.5)
            #expect(throws: PostgresError.self) { try row.text("nothing") }
            #expect(throws: PostgresError.self) { try row.text("missing") }
            #expect(throws: PostgresError.self) { try row.integer("word") }
        }
    }

    @Test("rows, their number and the server's word are told")
    func results() async throws {
        try await withDatabaseConnection { connection in
            try await connection.execute("CREATE TABLE t (id integer); INSERT INTO t VALUES (1), (2), (3)")
            let update = try await connection.query("UPDATE t SET id = id + 10 WHERE id > $1", [1])
            #expect(update.affectedRows == 2)
            #expect(update.commandTag == "UPDATE 2")
            #expect(update.rows.isEmpty)
            let rows = try await connection.query("SELECT id FROM t ORDER BY id")
            #expect(rows.columns == ["id"])
            #expect(rows.rows.map { $0[0] } == ["1", "12", "13"])
        }
    }

    @Test("much more than a socket's buffer goes both ways")
    func large() async throws {
        try await withDatabaseConnection { connection in
            let text = String(repeating: "0123456789abcdef", count: 1 << 20)
            let row = try await connection.query("SELECT $1::text || 'end' AS echo", [.text(text)]).row()
            #expect(try row.text("echo") == text + "end")
        }
    }

    @Test("text with a NUL is refused instead of cut off")
    func nul() async throws {
        try await withDatabaseConnection { connection in
            let error = try await postgresError { try await connection.query("SELECT $1::text", ["a\0b"]) }
            #expect(error.code == .protocolViolation)
        }
    }

    @Test("an error has its SQLSTATE and fields, and the connection goes on")
    func errors() async throws {
        try await withDatabaseConnection { connection in
            try await connection.execute("CREATE TABLE t (id integer CONSTRAINT positive CHECK (id > 0))")
            let error = try await postgresError { try await connection.query("INSERT INTO t VALUES (-7)") }
            #expect(error.code == .server)
            #expect(error.sqlState == "23514")
            #expect(error.constraint == "positive")
            #expect(error.table == "t")
            #expect(error.detail?.contains("-7") == true)
            #expect(!"\(error)".contains("-7"), "a description shows no row")
            #expect(!error.isTransient)
            let syntax = try await postgresError { try await connection.query("SELECT oops oops oops") }
            #expect(syntax.sqlState == "42601")
            #expect(syntax.position == 18)
            let script = try await postgresError { try await connection.execute("SELECT 1; SELECT 1/0; SELECT 2") }
            #expect(script.sqlState == "22012")
            #expect(try await connection.query("SELECT 1").rows.count == 1)
        }
    }

    @Test("settings hold from the start, spaces included")
    func settings() async throws {
        try await withTestDatabase { url in
            let settings = [("lock_timeout", "2s"), ("search_path", "pg_catalog, \"a b\\c\""), ("row_security", "off")]
            try await withConnection(url, settings: settings) { connection in
                let row = try await connection.query(
                    """
                    SELECT current_setting('lock_timeout') AS timeout, current_setting('search_path') AS path,
                        current_setting('row_security') AS security, current_setting('application_name') AS name,
                        pg_backend_pid() AS pid
                    """
                ).row()
                #expect(row["timeout"] == "2s")
                #expect(row["path"] == "pg_catalog, \"a b\\c\"")
                #expect(row["security"] == "off")
                #expect(row["name"] == "sluice/test")
                #expect(try row.integer("pid") == Int64(connection.processID))
            }
        }
    }

    @Test("statements of many tasks are run one at a time, each with its own answer")
    func queue() async throws {
        try await withDatabaseConnection { connection in
            let answers = try await withThrowingTaskGroup(of: Bool.self) { group in
                for number in 0..<100 {
                    group.addTask {
                        let result = try await connection.query("SELECT $1::int AS n", [.integer(Int64(number))])
                        return try result.row().integer("n") == Int64(number)
                    }
                }
                return try await group.reduce(into: [Bool]()) { $0.append($1) }
            }
            #expect(answers.count == 100 && answers.allSatisfy { $0 })
        }
    }

    @Test("a pipeline with one failing statement is undone as a whole, and says which it was")
    func pipeline() async throws {
        try await withDatabaseConnection { connection in
            try await connection.execute("CREATE TABLE t (id integer)")
            let outcomes = try await connection.pipeline([
                PostgresStatement("INSERT INTO t VALUES ($1)", [1]),
                PostgresStatement("INSERT INTO t VALUES (1/0)"),
                PostgresStatement("INSERT INTO t VALUES ($1)", [2]),
            ])
            #expect(outcomes.count == 3)
            #expect(try outcomes[0].get().affectedRows == 1)
            #expect(throws: PostgresError.self) { try outcomes[1].get() }
            guard case .failure(let failed) = outcomes[1], case .failure(let skipped) = outcomes[2] else {
                throw TestFailure("the second and the third were to fail")
            }
            #expect(failed.sqlState == "22012")
            #expect(skipped.code == .skipped)
            let count = try await connection.query("SELECT count(*) AS n FROM t").row().integer("n")
            #expect(count == 0)
            let many = (0..<500).map { PostgresStatement("INSERT INTO t VALUES ($1)", [.integer($0)]) }
            let all = try await connection.pipeline(many)
            #expect(try all.allSatisfy { try $0.get().affectedRows == 1 } && all.count == 500)
            #expect(try await connection.pipeline([]).isEmpty)
            #expect(try await connection.query("SELECT count(*) AS n FROM t").row().integer("n") == 500)
        }
    }

    @Test("notifications arrive while nothing is asked")
    func notifications() async throws {
        try await withTestDatabase { url in
            try await withConnection(url) { listener in
                try await listener.listen("news")
                let arrivals = await listener.notifications
                try await withConnection(url) { sender in
                    try await sender.query("SELECT pg_notify('news', 'hello')")
                    let notification = await arrivals.first { _ in true }
                    #expect(notification?.channel == "news")
                    #expect(notification?.payload == "hello")
                    #expect(notification?.processID == sender.processID)
                }
                await listener.close()
                #expect(await arrivals.first { _ in true } == nil)
            }
        }
    }

    @Test("COPY, which is not supported, ends the connection with an error instead of hanging")
    func copy() async throws {
        try await withDatabaseConnection { connection in
            let error = try await postgresError { try await connection.query("COPY (SELECT 1) TO STDOUT") }
            #expect("\(error)".contains("COPY"))
            #expect(connection.isClosed)
        }
    }
}
