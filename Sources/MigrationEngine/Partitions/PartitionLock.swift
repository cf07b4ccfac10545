internal import PostgreSQL
internal import SchemaChange

/// A lock that stops others, taken on all partitions of a table before anything is done. Each has a lock of its own, and
/// `lock_timeout` is for each: one after the other they could be waited for while all those before are held. So there is a
/// limit to all of them together.
struct PartitionLock {
    /// The others were let go.
    struct TakesTooLong: Error {}

    private let table: TableName
    private let mode: String

    /// Nil for a lock that stops nobody.
    init?(_ mode: String?, _ table: TableName?) {
        guard let table, let mode, ["ACCESS EXCLUSIVE", "SHARE ROW EXCLUSIVE", "SHARE"].contains(mode)
        else {
            return nil
        }
        self.table = table
        self.mode = mode
    }

    /// Does nothing where the table is not partitioned.
    ///
    /// - Throws: ``TakesTooLong``, and the transaction is over.
    func take(on connection: PostgresConnection) async throws {
        let found = try await connection.query(
            "SELECT FROM pg_class WHERE oid = to_regclass($1) AND relkind = 'p'", [.text(table.quoted)])
        guard found.affectedRows > 0 else { return }
        _ = try await connection.query("SET LOCAL statement_timeout = '\(MigrationEngine.lockWait)'")
        do {
            _ = try await connection.query("LOCK TABLE \(table.quoted) IN \(mode) MODE")
        } catch {
            guard error.sqlState == "57014" else { throw error }
            throw TakesTooLong()
        }
        _ = try await connection.query("SET LOCAL statement_timeout = DEFAULT")
    }
}
