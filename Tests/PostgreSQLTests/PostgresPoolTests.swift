import PostgreSQL
import Synchronization
import TestSupport
import Testing

@Suite("a pool of connections")
struct PostgresPoolTests {
    @Test("opens no more than its maximum, and serves everybody")
    func maximum() async throws {
        try await withPool(maximum: 3) { pool in
            let processes = try await withThrowingTaskGroup(of: Int32.self) { group in
                for _ in 0..<30 {
                    group.addTask {
                        try await pool.withConnection { connection in
                            try await connection.query("SELECT pg_sleep(0.002)")
                            return connection.processID
                        }
                    }
                }
                return try await group.reduce(into: Set<Int32>()) { $0.insert($1) }
            }
            #expect(processes.count <= 3)
        }
    }

    @Test("replaces a connection whose backend was terminated")
    func replaced() async throws {
        try await withPool(maximum: 1) { pool in
            let first = try await pool.withConnection { $0.processID }
            try await withConnection(TestServers.databaseURL) { observer in
                try await observer.query("SELECT pg_terminate_backend($1)", [.integer(Int64(first))])
                try await eventually("a new one serves") {
                    try await pool.withConnection { try await $0.query("SELECT 1").rows.count == 1 }
                }
            }
            let second = try await pool.withConnection { $0.processID }
            #expect(first != second)
        }
    }

    @Test("rolls back what a borrower left open")
    func reset() async throws {
        try await withPool(maximum: 1) { pool in
            try await pool.withConnection { try await $0.execute("BEGIN; CREATE TABLE t (id integer)") }
            let found = try await pool.withConnection { try await $0.query("SELECT to_regclass('t') AS t").row() }
            #expect(found["t"] == nil)
        }
    }

    @Test("gives a place back when connecting fails")
    func unreachable() async throws {
        let pool = PostgresPool(try configuration("postgresql://nobody@127.0.0.1:1/none"), maximum: 1)
        for _ in 0..<3 {
            let error = try await postgresError { try await pool.withConnection { _ in } }
            #expect(error.code == .connection)
        }
        await pool.close()
    }

    @Test("lends no connection that is not admitted, and keeps its place for the next")
    func admitted() async throws {
        struct Stranger: Error {}
        let seen = Mutex<[Int32]>([])
        let pool = PostgresPool(try configuration(TestServers.databaseURL), maximum: 1) { connection in
            let count = seen.withLock { seen in
                seen.append(connection.processID)
                return seen.count
            }
            guard count > 1 else { throw Stranger() }
        }
        await #expect(throws: Stranger.self) { try await pool.withConnection { _ in } }
        for _ in 0..<2 {
            let process = try await pool.withConnection { $0.processID }
            #expect(process == seen.withLock { $0.last })
        }
        let (refused, count) = seen.withLock { ($0[0], $0.count) }
        #expect(count == 2)
        try await withConnection(TestServers.databaseURL) { observer in
            try await eventually("the one that was refused is closed") {
                try await observer.query("SELECT FROM pg_stat_activity WHERE pid = $1", [.integer(Int64(refused))])
                    .affectedRows == 0
            }
        }
        await pool.close()
    }

    @Test("lets one who waits be cancelled, and keeps the others' places", .timeLimit(.minutes(1)))
    func waiting() async throws {
        try await withPool(maximum: 1) { pool in
            let (entered, enter) = AsyncStream.makeStream(of: Void.self)
            let (released, release) = AsyncStream.makeStream(of: Void.self)
            let holder = Task {
                try await pool.withConnection { _ in
                    enter.finish()
                    for await _ in released {}
                }
            }
            for await _ in entered {}
            let cancelled = Task { try await pool.withConnection { $0.processID } }
            let patient = Task { try await pool.withConnection { $0.processID } }
            cancelled.cancel()
            #expect(try await postgresError { _ = try await cancelled.value }.code == .cancelled)
            release.finish()
            try await holder.value
            _ = try await patient.value
        }
    }

    @Test("closes what nobody needs after a while")
    func idle() async throws {
        try await withTestDatabase { url in
            let pool = PostgresPool(try configuration(url), maximum: 2, idleTimeout: .milliseconds(50))
            let process = try await pool.withConnection { $0.processID }
            try await withConnection(url) { observer in
                try await eventually("it is gone") {
                    try await observer.query(
                        "SELECT FROM pg_stat_activity WHERE pid = $1", [.integer(Int64(process))]
                    ).affectedRows == 0
                }
            }
            #expect(try await pool.withConnection { try await $0.query("SELECT 1").affectedRows } == 1)
            await pool.close()
        }
    }

    @Test("lends nothing once it is closed")
    func closed() async throws {
        try await withPool(maximum: 1) { pool in
            await pool.close()
            let error = try await postgresError { try await pool.withConnection { _ in } }
            #expect(error.code == .closed)
        }
    }

    private func withPool(maximum: Int, _ body: (PostgresPool) async throws -> Void) async throws {
        try await withTestDatabase { url in
            let pool = PostgresPool(try configuration(url), maximum: maximum)
            try await body(pool)
            await pool.close()
        }
    }
}
