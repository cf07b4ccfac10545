internal import PostgreSQL
internal import SchemaChange

/// What somebody has made on a column, or a table, since it was planned that it goes away, and what of it somebody has
/// changed that is to be made again as it was.
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
            if let query {
                let late = try await connection.query(query).rows.compactMap { $0[0] }
                guard late.isEmpty else {
                    throw Interruption.stalled(reason: "Dependents", message: message(known, place, late))
                }
            }
            let changed = try await changed(known, on: connection)
            guard changed.isEmpty else {
                throw Interruption.stalled(reason: "Dependents", message: message(changed, place))
            }
        }
    }

    /// What is not any more what its statements make, or is gone: they would undo what somebody did to it.
    private static func changed(
        _ known: KnownDependents, on connection: PostgresConnection
    ) async throws -> [ColumnDependents.Restated] {
        guard let restated = known.restated, let query = known.restatedQuery else { return [] }
        let present = try await connection.query("SELECT object::text FROM (\(query)) AS found").rows
            .compactMap { $0[0] }.map { try LedgerJSON.decode(ColumnDependents.Restated.self, from: $0) }
        return restated.filter { !present.contains($0) }
    }

    private static func message(_ changed: [ColumnDependents.Restated], _ place: Place) -> String {
        let list = changed.map(\.description).joined(separator: ", ")
        let statements = changed.flatMap(\.statements).joined(separator: "; ")
        switch place {
        case .onOldColumns:
            return
                "somebody has changed or dropped since this was planned: \(list); Contract would make it again as it was "
                + "(\(statements)): make it so, and change it after Contract; or go to Initial and come again"
        case .onNewColumns:
            return
                "somebody has changed or dropped since Contract: \(list); it would be made again as it was (\(statements)): "
                + "make it so, and change it when Contract is undone; or stay at Contract"
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
