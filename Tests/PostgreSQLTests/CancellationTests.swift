import Glibc
import PostgreSQL
import TestSupport
import Testing

@Suite("cancelling a statement")
struct CancellationTests {
    @Test("the server stops it, and the connection stays usable")
    func running() async throws {
        try await withTestDatabase { url in
            try await withConnection(url) { connection in
                let sleeper = Task { try await connection.query("SELECT pg_sleep(600)") }
                try await withConnection(url) { observer in
                    try await eventually("it sleeps") { try await isSleeping(connection, observer) }
                    sleeper.cancel()
                    let error = try await postgresError { _ = try await sleeper.value }
                    #expect(error.code == .cancelled)
                    #expect(try await !isSleeping(connection, observer))
                    #expect(try await connection.query("SELECT 1").rows.count == 1)
                }
            }
        }
    }

    @Test("one that waits for its turn is taken out of the queue")
    func queued() async throws {
        try await withTestDatabase { url in
            try await withConnection(url) { connection in
                try await connection.execute("CREATE TABLE t (id integer)")
                let sleeper = Task { try await connection.query("SELECT pg_sleep(600)") }
                try await withConnection(url) { observer in
                    try await eventually("it sleeps") { try await isSleeping(connection, observer) }
                    let waiting = Task { try await connection.query("INSERT INTO t VALUES (1)") }
                    waiting.cancel()
                    let error = try await postgresError { _ = try await waiting.value }
                    #expect(error.code == .cancelled)
                    #expect(try await isSleeping(connection, observer), "the one that runs is left alone")
                    sleeper.cancel()
                    _ = await sleeper.result
                    #expect(try await connection.query("SELECT FROM t").affectedRows == 0)
                }
            }
        }
    }

    @Test("it never hits the statement after it", .timeLimit(.minutes(1)))
    func next() async throws {
        try await withTestDatabase { url in
            try await withConnection(url) { connection in
                try await withConnection(url) { metronome in
                    // The first ends by itself at about the time when the request to cancel it arrives.
                    for _ in 0..<80 {
                        let first = Task { try await connection.query("SELECT pg_sleep(0.003)") }
                        try await metronome.query("SELECT pg_sleep(0.002)")
                        first.cancel()
                        _ = try await connection.query("SELECT pg_sleep(0.01)")
                        _ = await first.result
                    }
                }
            }
        }
    }

    @Test("a cancelled transaction is rolled back")
    func transaction() async throws {
        try await withTestDatabase { url in
            try await withConnection(url) { connection in
                try await connection.execute("CREATE TABLE t (id integer)")
                let work = Task {
                    try await connection.transaction { connection in
                        try await connection.query("INSERT INTO t VALUES (1)")
                        try await connection.query("SELECT pg_sleep(600)")
                    }
                }
                try await withConnection(url) { observer in
                    try await eventually("it sleeps") { try await isSleeping(connection, observer) }
                    work.cancel()
                    #expect(try await postgresError { _ = try await work.value }.code == .cancelled)
                    #expect(try await connection.query("SELECT FROM t").affectedRows == 0)
                    let state = try await observer.query(
                        "SELECT state FROM pg_stat_activity WHERE pid = $1", [.integer(Int64(connection.processID))])
                    #expect(state.rows.first?[0] == "idle")
                }
            }
        }
    }

    @Test("a server that does not answer is given up", .timeLimit(.minutes(1)))
    func silent() async throws {
        try await withTestDatabase { url in
            try await withConnection(url) { connection in
                let sleeper = Task { try await connection.query("SELECT pg_sleep(600)") }
                try await withConnection(url) { observer in
                    try await eventually("it sleeps") { try await isSleeping(connection, observer) }
                }
                #expect(kill(connection.processID, SIGSTOP) == 0)
                defer { kill(connection.processID, SIGCONT) }
                let began = ContinuousClock.now
                sleeper.cancel()
                #expect(try await postgresError { _ = try await sleeper.value }.code == .cancelled)
                #expect(.now - began < .seconds(8))
                #expect(connection.isClosed)
                let later = try await postgresError { try await connection.query("SELECT 1") }
                #expect(later.code == .connection)
            }
        }
    }

    @Test("a server that is frozen is given up when its time is over, by whoever set one", .timeLimit(.minutes(1)))
    func frozen() async throws {
        try await withTestDatabase { url in
            var limited = try configuration(url)
            limited.answerTimeout = .seconds(1)
            let pool = PostgresPool(limited, maximum: 1)
            for _ in 0..<3 { try await pool.withConnection { try await $0.query("SELECT 1") } }
            try await pool.withConnection { connection in
                // Long enough is not too long, one after the other.
                for _ in 0..<3 { try await connection.query("SELECT pg_sleep(0.5)") }
                #expect(kill(connection.processID, SIGSTOP) == 0)
                defer { kill(connection.processID, SIGCONT) }
                let began = ContinuousClock.now
                let error = try await postgresError { try await connection.query("SELECT 1") }
                #expect(error.code == .connection && error.message.contains("did not answer within"), "\(error)")
                #expect(.now - began < .seconds(5))
            }
            #expect(try await pool.withConnection { try await $0.query("SELECT 1 AS one").row().integer("one") } == 1)
            await pool.close()
        }
    }

    private func isSleeping(_ connection: PostgresConnection, _ observer: PostgresConnection) async throws -> Bool {
        try await observer.query(
            "SELECT FROM pg_stat_activity WHERE pid = $1 AND wait_event = 'PgSleep'",
            [.integer(Int64(connection.processID))]
        ).affectedRows == 1
    }
}
