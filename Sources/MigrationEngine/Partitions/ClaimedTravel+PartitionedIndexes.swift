internal import PostgreSQL
internal import SchemaChange

/// An index of a partitioned table, which PostgreSQL does not build concurrently: an empty one on the table, which is not
/// valid, one on each partition that is built while others write, and then each is attached. With the last the table's is
/// valid. A partition that comes meanwhile gets one by itself.
extension ClaimedTravel {
    func buildOnPartitions(
        _ index: ConcurrentIndex, of step: Step, hurts: Hurt, note: (PostgresConnection) async throws -> Void
    ) async throws {
        var parts = try await makeRoom(for: index, of: step, hurts: hurts)
        while let part = parts.first(where: { $0.isLeaf && !$0.isAttached }) {
            try await build(index, on: part, of: step, hurts: hurts)
            parts = try await pool.withConnection { try await IndexPart.read(index, on: $0) }
            // Otherwise it was detached meanwhile.
            if let built = parts.first(where: { $0.relation == part.relation }), !built.isAttached,
                let name = built.index,
                let parent = parts.first(where: { $0.relation == built.parent })?.index
            {
                let attach = "ALTER INDEX \(parent.quoted) ATTACH PARTITION \(name.quoted)"
                try await execute([attach], of: step, hurts: hurts, lock: Self.quiet) { _ in }
            }
            parts = try await pool.withConnection { try await IndexPart.read(index, on: $0) }
        }
        let names = parts.compactMap { $0.renaming(of: index) }
        try await execute(names + index.finish, of: step, hurts: hurts, lock: Self.quiet, note: note)
    }

    /// Takes away what is left of one that was not finished.
    func clear(
        _ index: ConcurrentIndex, of step: Step, note: (PostgresConnection) async throws -> Void
    ) async throws {
        if case .absent = try await pool.withConnection({ try await IndexState.read(index, on: $0) }) {
        } else {
            try await execute([index.dropUnfinished], of: step, lock: "ACCESS EXCLUSIVE") { _ in }
        }
        let unattached = try await pool.withConnection { try await IndexPart.unattached(index, on: $0) }
        try await executeConcurrently(
            unattached.map { "DROP INDEX CONCURRENTLY IF EXISTS \($0.quoted)" }, of: step, hurts: .nobody, note: note)
    }

    /// What stops nobody for longer than it takes to change the catalog, and no whole table.
    private static let quiet = "SHARE UPDATE EXCLUSIVE"

    /// The empty index of the table, and those of its partitions that have partitions.
    private func makeRoom(for index: ConcurrentIndex, of step: Step, hurts: Hurt) async throws -> [IndexPart] {
        while true {
            let parts = try await pool.withConnection { try await IndexPart.read(index, on: $0) }
            // From the top, since each is attached to one above it.
            guard
                let part = parts.first(where: { !$0.isLeaf && ($0.index == nil || $0.parent != nil && !$0.isAttached) })
            else { return parts }
            let own = TableName(schema: part.table.schema, name: part.builtAs(index))
            var statements = part.index == nil ? [index.createEmpty(on: part.table, as: own.name)] : []
            if let parent = parts.first(where: { $0.relation == part.parent })?.index {
                statements.append("ALTER INDEX \(parent.quoted) ATTACH PARTITION \(own.quoted)")
            }
            try await execute(statements, of: step, hurts: hurts, lock: Self.quiet) { _ in }
        }
    }

    private func build(_ index: ConcurrentIndex, on part: IndexPart, of step: Step, hurts: Hurt) async throws {
        let name = TableName(schema: part.table.schema, name: part.builtAs(index))
        let drop = "DROP INDEX CONCURRENTLY IF EXISTS \(name.quoted)"
        try await retryingLostRaces(step) {
            try await requireGuards(hurts)
            try await withIndexSession(step) { session in
                let present = try await IndexPart.read(index, on: session).first { $0.relation == part.relation }
                guard let present, !present.isAttached, present.index == nil || !present.isValid else { return }
                try await session.query(drop)
                do {
                    try await session.query(index.create(on: part.table, as: name.name))
                } catch let error as PostgresError where error.code == .server && !error.isTransient {
                    try await session.query(drop)
                    throw try await explained(error)
                }
            }
        }
    }
}
