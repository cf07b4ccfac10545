public import Backfill
internal import PostgreSQL
internal import SchemaChange

/// Every row of a verified migration, compared once more beside its certificate.
public struct RowComparison: Sendable, Hashable {
    public struct Part: Sendable, Hashable {
        public let table: String
        public let span: KeySpan
        /// What the certificate says of these rows; nil where it is of an older version.
        public let proven: Certificate.Range?
        public let found: ChunkTally

        /// Whether no row of it was written since the proof, or only so that it is what it was; nil where that is not known.
        public var isUnchanged: Bool? { proven?.isAsFound(found) }
    }

    public let parts: [Part]

    public var tally: ChunkTally { parts.reduce(into: ChunkTally()) { $0 += $1.found } }
}

extension MigrationEngine {
    /// Compares every row again, of a migration that is verified; nil when it is not, or is contracted. Changes nothing.
    ///
    /// - Parameter workers: how many ranges at the same time, each in a statement and a session of its own.
    public func compareRows(_ name: MigrationName, workers: Int = 2) async throws -> RowComparison? {
        let found: LedgerRecord? = try await looking { try await Ledger(name: name).read($0) }
        guard let record = found, record.phase == .backfill else { return nil }
        let parts = record.plan.compared.flatMap { walk in
            Self.parts(of: walk, record.certificate?.ranges ?? []).map { (walk, $0) }
        }
        let pool = PostgresPool(
            configuration(application: "sluice/verify", schema: "public"), maximum: max(1, min(workers, parts.count)))
        do {
            let compared = try await Self.compare(parts, pool)
            await pool.close()
            return RowComparison(parts: compared)
        } catch {
            await pool.close()
            throw error
        }
    }

    private typealias Wanted = (span: KeySpan, proven: Certificate.Range?)

    /// The ranges of a certificate, if they leave no row out, whatever it says.
    private static func parts(of walk: ComparedWalk, _ ranges: [Certificate.Range]) -> [Wanted] {
        let own = ranges.filter { $0.comparison == walk.name }
        guard KeySpan.areWhole(own.map(\.span)) else { return [(.all, nil)] }
        return own.map { ($0.span, $0) }
    }

    private static func compare(
        _ parts: [(ComparedWalk, Wanted)], _ pool: PostgresPool
    ) async throws -> [RowComparison.Part] {
        try await withThrowingTaskGroup(of: (Int, RowComparison.Part).self) { group in
            for (index, (walk, wanted)) in parts.enumerated() {
                group.addTask {
                    let tally = try await pool.withConnection {
                        try await TableComparison.run(walk.statement, of: wanted.span, on: $0)
                    }
                    let part = RowComparison.Part(
                        table: walk.table.description, span: wanted.span, proven: wanted.proven, found: tally)
                    return (index, part)
                }
            }
            var found: [(Int, RowComparison.Part)] = []
            for try await part in group { found.append(part) }
            return found.sorted { $0.0 < $1.0 }.map(\.1)
        }
    }
}
