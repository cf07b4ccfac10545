import PostgreSQL
import TestSupport
import Testing

@Suite("a transaction")
struct TransactionTests {
    @Test("is committed when its body returns, and rolled back when it throws")
    func commitAndRollBack() async throws {
        try await withDatabaseConnection { connection in
            try await connection.execute("CREATE TABLE t (id integer)")
            let value = try await connection.transaction(isolation: .serializable) { connection in
                try await connection.query("INSERT INTO t VALUES (1)")
                return try await connection.query("SHOW transaction_isolation").rows[0][0]
            }
            #expect(value == "serializable")
            await #expect(throws: TestFailure.self) {
                try await connection.transaction { connection in
                    try await connection.query("INSERT INTO t VALUES (2)")
                    throw TestFailure("no")
                }
            }
            #expect(try await connection.query("SELECT id FROM t").rows.map { $0[0] } == ["1"])
        }
    }

    @Test("whose failed statement was swallowed is an error, not a commit")
    func swallowed() async throws {
        try await withDatabaseConnection { connection in
            let error = try await postgresError {
                try await connection.transaction { connection in
                    _ = try? await connection.query("SELECT 1/0")
                }
            }
            #expect(error.sqlState == "25P02")
            #expect(try await connection.query("SELECT 1").rows.count == 1)
        }
    }

    @Test("whose deferred constraint fails at the commit throws that, and the connection goes on")
    func deferred() async throws {
        try await withDatabaseConnection { connection in
            try await connection.execute("CREATE TABLE t (id integer UNIQUE DEFERRABLE INITIALLY DEFERRED)")
            let error = try await postgresError {
                try await connection.transaction { connection in
                    try await connection.query("INSERT INTO t VALUES (1), (1)")
                }
            }
            #expect(error.sqlState == "23505")
            #expect(try await connection.query("SELECT FROM t").affectedRows == 0)
        }
    }
}
