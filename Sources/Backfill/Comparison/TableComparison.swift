public import PostgreSQL
internal import SchemaChange

/// Compares rows with what their side says, in read-only statements that leave no checkpoint: for people who want to see a proof
/// again. The proof itself is made by ``TableWalk``.
public struct TableComparison: Sendable {
    private let statement: ChunkStatement

    /// - Parameter statement: one that compares.
    public init(_ statement: ChunkStatement) {
        self.statement = statement
    }

    /// Compares all rows, in the parts of a proof, `proven`, where they are whole and its files are still the ones.
    ///
    /// - Returns: what was counted of each part, in their order.
    /// - Throws: `PostgresError`.
    public func run(
        _ proven: [RowSpan], pool: PostgresPool, workers: Int
    ) async throws -> [(span: RowSpan, tally: ChunkTally)] {
        // Pages may be another file's by the time that they are read; keys stay.
        for _ in 1...2 {
            let parts = try await pool.withConnection { try await self.parts(proven, on: $0) }
            do {
                return Array(zip(parts, try await tallies(parts, pool: pool, workers: workers)).map { ($0, $1) })
            } catch is HeapFileMoved {
                continue
            }
        }
        return [(.all, try await tallies([.all], pool: pool, workers: 1)[0])]
    }

    private func parts(_ proven: [RowSpan], on connection: PostgresConnection) async throws -> [RowSpan] {
        guard RowSpan.areWhole(proven) else { return [.all] }
        let files = Set(proven.compactMap(\.file))
        guard !files.isEmpty else { return proven }
        let present = try await FoundHeapFile.all(of: statement.mapping.table, on: connection) ?? []
        if files == Set(present.map(\.file)) { return proven }
        // They were written anew.
        return present.isEmpty ? [.all] : present.map { RowSpan(file: $0.file, after: nil, upTo: nil) }
    }

    /// Each in a transaction of its own: of pages in one snapshot.
    private func tallies(_ parts: [RowSpan], pool: PostgresPool, workers: Int) async throws -> [ChunkTally] {
        guard parts.contains(where: { $0.file != nil }) else {
            return try await each(parts, workers: workers) { part in
                let (condition, values) = Keyset(statement.mapping).between(part.after, part.upTo, parametersFrom: 1)
                return try await pool.withConnection { connection in
                    try await connection.transaction(readOnly: true) { connection in
                        try ChunkTally(
                            try await connection.query(statement.reading(where: condition), values.map { .text($0) })
                                .row())
                    }
                }
            }
        }
        return try await Snapshot.during(pool) { snapshot in
            let files = try await pool.withConnection { connection in
                try await FoundHeapFile.all(of: statement.mapping.table, on: connection) ?? []
            }
            return try await each(parts, workers: workers) { part in
                guard let file = files.first(where: { $0.file == part.file }) else { throw HeapFileMoved() }
                return try await pool.withConnection { connection in
                    try await statement.tally(
                        ofPages: part.after?.page ?? 0, before: part.upTo?.page, of: file, in: snapshot, on: connection)
                }
            }
        }
    }

    private func each(
        _ parts: [RowSpan], workers: Int, _ body: @escaping @Sendable (RowSpan) async throws -> ChunkTally
    ) async throws -> [ChunkTally] {
        try await withThrowingTaskGroup(of: [(Int, ChunkTally)].self) { group in
            // They are of about the same size.
            for worker in 0..<max(1, workers) {
                group.addTask {
                    var found: [(Int, ChunkTally)] = []
                    for index in stride(from: worker, to: parts.count, by: max(1, workers)) {
                        found.append((index, try await body(parts[index])))
                    }
                    return found
                }
            }
            return try await group.reduce(into: []) { $0 += $1 }.sorted { $0.0 < $1.0 }.map(\.1)
        }
    }
}

extension ChunkStatement {
    /// Compares the rows that stood on some pages when a snapshot was taken.
    ///
    /// - Parameter end: the page before which it ends; nil for the end of the file.
    /// - Throws: ``HeapFileMoved`` where they stand in another file now: there a snapshot of before may see nothing.
    func tally(
        ofPages first: Int64, before end: Int64?, of file: FoundHeapFile, in snapshot: Snapshot,
        on connection: PostgresConnection
    ) async throws -> ChunkTally {
        var condition = "ctid >= $3::text::tid"
        var values: [PostgresValue] = [
            .integer(file.file.relation), .integer(file.file.filenode), .text("(\(first),0)"),
        ]
        if let end {
            condition += " AND ctid < $4::text::tid"
            values.append(.text("(\(end),0)"))
        }
        let sql = reading(file.name, where: condition, also: "pg_relation_filenode($1::oid) = $2::oid AS here")
        let row = try await snapshot.transaction(on: connection) { try await $0.query(sql, values).row() }
        guard try row.boolean("here") else { throw HeapFileMoved() }
        return try ChunkTally(row)
    }
}
