public import Backfill
internal import PostgreSQL
internal import SchemaChange

/// Every row of a verified migration, compared once more beside its certificate.
public struct RowComparison: Sendable, Hashable {
    public struct Part: Sendable, Hashable {
        public let table: String
        public let span: RowSpan
        /// What the certificate says of these rows; nil where it is of an older version, or they were of other files then.
        public let proven: Certificate.Range?
        public let found: ChunkTally

        /// Whether no row of it was written since the proof, or only so that it is what it was; nil where that is not known.
        public var isUnchanged: Bool? { proven?.isAsFound(found) }
    }

    public let parts: [Part]
    /// Whether the rows are those of the certificate, wherever they are now; nil where it does not say.
    public let isUnchanged: Bool?

    public var tally: ChunkTally { parts.reduce(into: ChunkTally()) { $0 += $1.found } }
}

extension MigrationEngine {
    /// Compares every row again, of a migration that is verified; nil when it is not, or is contracted. Changes nothing.
    ///
    /// - Parameters:
    ///   - schema: where the migration's names are looked up, its `database.schema`.
    ///   - workers: how many ranges at the same time, each in a statement and a session of its own.
    public func compareRows(
        _ name: MigrationName, schema: String = "public", workers: Int = 2
    ) async throws -> RowComparison? {
        let found: LedgerRecord? = try await looking { try await Ledger(name: name).read($0) }
        guard let record = found, record.phase == .backfill else { return nil }
        let pool = PostgresPool(configuration(application: "sluice/verify", schema: schema), maximum: workers + 1)
        do {
            var parts: [RowComparison.Part] = []
            var areUnchanged: [Bool?] = []
            for walk in record.plan.compared {
                let proven = (record.certificate?.ranges ?? []).filter { $0.comparison == walk.name }
                let found = try await Self.compare(walk, proven, pool, workers: workers)
                parts += found
                areUnchanged.append(Certificate.Range.isUnchanged(proven, found.map(\.found)))
            }
            await pool.close()
            let known = areUnchanged.compactMap(\.self)
            return RowComparison(
                parts: parts, isUnchanged: known.count < areUnchanged.count ? nil : known.allSatisfy(\.self))
        } catch {
            await pool.close()
            throw error
        }
    }

    private static func compare(
        _ walk: ComparedWalk, _ proven: [Certificate.Range], _ pool: PostgresPool, workers: Int
    ) async throws -> [RowComparison.Part] {
        let found = try await TableComparison(walk.statement).run(proven.map(\.span), pool: pool, workers: workers)
        return found.map { span, tally in
            RowComparison.Part(
                table: walk.table.description, span: span, proven: proven.first { $0.span == span }, found: tally)
        }
    }
}
