internal import PostgreSQL
internal import SchemaChange

/// Whose turn it is: migrations of one table go one after the other, and back in the opposite order.
extension Travel {
    func waitForTurn(_ moves: [Move], on connection: PostgresConnection) async throws {
        if moves.contains(where: { $0.takesAway || $0.leavesArchive }) {
            try await waitForLater(on: connection)
        } else if target > .initial, record.applied.isEmpty {
            try await waitForEarlier(on: connection)
            try await waitForColumns(on: connection)
        }
    }

    private var tables: PostgresValue { .textArray(record.plan.tables.map(\.description)) }

    /// The others of the same tables of which `condition` is true; they are `o`, this one is `m`.
    private func others(
        where condition: String, by order: String, on connection: PostgresConnection
    ) async throws -> [PostgresRow] {
        try await connection.query(
            """
            SELECT o.id, o.phase, o.target, o.obstacle, o.purged FROM sluice.migration o, sluice.migration m
            WHERE m.id = $1 AND o.id <> m.id AND o.tables && $2::text[] AND \(condition) ORDER BY \(order)
            """,
            [.text(ledger.id), tables]
        ).rows
    }

    /// What came after it, and has to be undone before it.
    private func waitForLater(on connection: PostgresConnection) async throws {
        let later = try await others(
            where: "o.ordinal > m.ordinal AND EXISTS (SELECT FROM sluice.step s WHERE s.migration = o.id)",
            by: "o.ordinal DESC", on: connection)
        if let last = try later.first(where: { try $0.boolean("purged") }) {
            throw Interruption.stalled(
                reason: "NotReversible",
                message:
                    "\(try last.text("id")) came after it on the same table, and cannot be undone: its archive is gone "
                    + "since its contract.keepFor is over; so this one stays at \(record.phase.rawValue): set that "
                    + "phase, and write a new Migration that takes away what is not wanted"
            )
        }
        guard !later.isEmpty else { return }
        let names = try later.map { try $0.text("id") }.joined(separator: ", then ")
        throw Interruption.waiting(
            reason: "Queued",
            message:
                "\(names) came after it on the same table; this one goes back when phase: Initial was set there and is "
                + "reached"
        )
    }

    /// What came before it, and is not as far as it was asked to go.
    private func waitForEarlier(on connection: PostgresConnection) async throws {
        let earlier = try await others(
            where: """
                o.ordinal < m.ordinal AND o.phase <> o.target
                AND NOT (o.phase = 'Backfill' AND o.target <> 'Contract' AND o.certificate IS NOT NULL)
                """,
            by: "o.ordinal", on: connection)
        guard let first = earlier.first else { return }
        let target = Phase(rawValue: try first.text("target")) ?? .initial
        var message =
            "\(try first.text("id")) works on the same table, on the way from \(try first.text("phase")) to \(target.rawValue)"
        if let obstacle = try first["obstacle"].map({ try LedgerJSON.decode(Obstacle.self, from: $0) }) {
            message += "; \(obstacle.message)"
        }
        let isUndone = target == .initial ? "" : ", or is undone: set phase: Initial there to let this one go first"
        throw Interruption.waiting(
            reason: "Queued", message: "\(message); this one begins when that one has reached it\(isUndone)")
    }

    /// Triggers of two migrations fire in the order of their names, so neither may read what the other writes; and what
    /// Contract takes away no other's trigger may name, not even that of an archive.
    private func waitForColumns(on connection: PostgresConnection) async throws {
        let others = try await connection.query(
            """
            SELECT id, plan, phase FROM sluice.migration o
            WHERE id <> $1 AND tables && $2::text[] AND NOT purged
                AND EXISTS (SELECT FROM sluice.step s WHERE s.migration = o.id) ORDER BY ordinal
            """,
            [.text(ledger.id), tables]
        ).rows
        for other in others {
            let plan = try LedgerJSON.decode(Plan.self, from: try other.text("plan"))
            let isContracted = other["phase"] == Phase.contract.rawValue
            if let conflict = PlanConflict.between(record.plan, and: plan, isContracted: isContracted) {
                let outlives = PlanConflict.between(record.plan, and: plan, isContracted: true) != nil
                throw Interruption.waiting(
                    reason: "Queued",
                    message: "\(try other.text("id")) works on \(conflict.message(outlivesContract: outlives))")
            }
        }
    }
}
