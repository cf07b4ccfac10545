internal import CPostgres
internal import EventLoop

extension PostgresConnection {
    /// How much of other transactions a transaction sees. See "Transaction Isolation" in PostgreSQL's manual.
    public enum Isolation: String, Sendable {
        case readCommitted = "READ COMMITTED"
        case repeatableRead = "REPEATABLE READ"
        case serializable = "SERIALIZABLE"
    }

    /// Runs `body` in a transaction: committed when it returns, rolled back when it throws or the task is cancelled before
    /// the commit is sent.
    ///
    /// Throws what `body` throws. When a connection is lost during the commit, `connection` is thrown and whether the
    /// transaction took effect is unknown. It does not nest; use `SAVEPOINT`.
    @discardableResult
    public func transaction<Value: Sendable>(
        isolation: Isolation = .readCommitted,
        readOnly: Bool = false,
        _ body: (PostgresConnection) async throws -> Value
    ) async throws -> Value {
        try await query("BEGIN ISOLATION LEVEL \(isolation.rawValue)\(readOnly ? " READ ONLY" : "")")
        let value: Value
        do {
            value = try await body(self)
            if Task.isCancelled { throw PostgresError.cancelled }
        } catch {
            await rollBack()
            throw error
        }
        let commit = PostgresStatement("COMMIT")
        do {
            guard try await query(commit, isCancellable: false).commandTag == "COMMIT" else {
                let reason = "the transaction was rolled back, because one of its statements had failed"
                throw PostgresError(.server, reason, sqlState: "25P02")
            }
        } catch {
            await rollBack()
            throw error
        }
        return value
    }

    /// Leaves the transaction, if there is one, so that the session can be used by others. A session that cannot is closed.
    public func rollBack() async {
        switch await session.transactionStatus {
        case PQTRANS_IDLE: return
        case PQTRANS_UNKNOWN: return
        default:
            do {
                _ = try await query(PostgresStatement("ROLLBACK"), isCancellable: false)
            } catch {
                await close()
            }
        }
    }

    /// Makes the session fit for another user: nothing running, no transaction open. False when it is not to be had.
    func reset() async -> Bool {
        if await session.isBusy { await close() }
        await rollBack()
        return !isClosed
    }
}
