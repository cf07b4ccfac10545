internal import PostgreSQL
internal import SchemaChange

/// What somebody has made on a column, or a table, since it was planned that it goes away.
enum Latecomers {
    enum Place {
        /// Before they go into the archive.
        case onOldColumns
        /// Once they have taken the old ones' place, and before they give it back.
        case onNewColumns
    }

    static func require(
        none place: Place, _ record: LedgerRecord, on connection: PostgresConnection
    ) async throws {
        for known in record.plan.known ?? [] {
            let isArchived = record.applied.contains(known.step)
            let query: String?
            switch place {
            case .onOldColumns where !isArchived: query = known.query
            case .onNewColumns where isArchived: query = known.successorQuery
            default: continue
            }
            guard let query else { continue }
            let late = try await connection.query(query).rows.compactMap { $0[0] }
            guard !late.isEmpty else { continue }
            throw Interruption.stalled(reason: "Dependents", message: message(known, place, late))
        }
    }

    private static func message(_ known: KnownDependents, _ place: Place, _ late: [String]) -> String {
        let list = late.joined(separator: ", ")
        let old = known.column.map { "column \($0) of \(known.table)" } ?? "table \(known.table)"
        switch place {
        case .onOldColumns:
            return
                "somebody has made on \(old), since this was planned: \(list); it would go into the archive with that: drop it"
                + (known.successor == nil ? "" : ", and make it again after Contract")
                + "; or go to Initial and come again"
        case .onNewColumns:
            return
                "somebody has made on column \(known.successor ?? "") of \(known.table), since Contract: \(list); it would go "
                + "with that column: drop it, and make it again when Contract is undone; or stay at Contract"
        }
    }
}
