public import SchemaChange

/// What a plan will do to the live database: each step with its lock, its work and its undoing, what the backfill may cost,
/// and what had better be looked at first.
public struct PlanPreview: Codable, Sendable, Hashable {
    public var planHash: String
    /// In order; those that have no steps are left out.
    public var phases: [PhasePreview]
    /// What makes Contract final, once `contract.keepFor` is over.
    public var purge: [StepPreview]
    public var estimates: [BackfillEstimate]
    public var findings: [Finding]
    /// Where the migration stands that this plan was pinned for, with something of it in force; nil for a plan that would be
    /// made now.
    public var inForce: Phase?

    init(_ plan: Plan, estimates: [BackfillEstimate], findings: [Finding], inForce: Phase? = nil) {
        planHash = plan.hash
        self.inForce = inForce
        phases = Phase.allCases.compactMap { phase in
            let steps = plan.steps(of: phase).map { StepPreview($0, plan, estimates) }
            return steps.isEmpty ? nil : PhasePreview(phase: phase, steps: steps)
        }
        purge = plan.purge.map { StepPreview($0, plan, estimates, isFinal: true) }
        self.estimates = estimates
        self.findings = findings
    }

    /// The most severe comes first.
    public var error: Finding? { findings.first { $0.severity == .error } }

    public func count(of severity: Finding.Severity) -> Int { findings.count { $0.severity == severity } }
}

public struct PhasePreview: Codable, Sendable, Hashable {
    public var phase: Phase
    public var steps: [StepPreview]
}

public struct StepPreview: Codable, Sendable, Hashable {
    public enum Undo: String, Codable, Sendable {
        /// By `undoStatements`.
        case statements
        /// There is nothing to undo.
        case nothing
        /// It is left as it is, and looked at again on the way forwards.
        case stays
        /// Nobody said how.
        case impossible
    }

    public var id: String
    public var title: String
    public var statements: [String]
    /// The strongest lock on `table`, as PostgreSQL names it; nil for none that anybody would feel, or one that the user's own
    /// statements take.
    public var lock: String?
    public var table: String?
    /// How long each try waits for the lock at most, and everybody else behind it; then it lets them pass. Nil where it waits
    /// with nobody behind it.
    public var maxLockWait: String?
    public var work: Step.Work
    /// About how many rows it reads or writes.
    public var rows: Int64?
    public var undo: Undo
    public var undoStatements: [String]

    init(_ step: Step, _ plan: Plan, _ estimates: [BackfillEstimate], isFinal: Bool = false) {
        id = step.id
        title = step.title
        lock = step.lock
        table = step.table?.description
        work = step.work
        undoStatements = []
        func rows(of table: TableName?) -> Int64? { estimates.first { $0.table == table?.description }?.rows }
        self.rows = [.catalog, .waits, .samples].contains(step.work) ? nil : rows(of: step.table)
        switch step.action {
        case .statements(let apply, let revert):
            statements = apply
            undo = revert.map { $0.isEmpty ? .nothing : .statements } ?? .impossible
            undoStatements = revert ?? []
        case .concurrently(let apply, let revert):
            statements = apply
            undo = .statements
            undoStatements = revert
        case .clearIndex(let index):
            statements = [index.dropUnfinished]
            undo = .statements
            undoStatements = [index.dropUnfinished]
        case .buildIndex(let index):
            statements = index.building
            undo = .statements
            undoStatements = index.unfinish + index.drop.suffix(1)
        case .dropIndex(let index):
            statements = (index.name == nil ? [] : index.drop.suffix(1)) + index.unfinish
            undo = .statements
            undoStatements = index.building
        case .declaration:
            statements = []
            undo = .nothing
        case .backfill(let number):
            let mapping = plan.mappings[number]
            statements =
                mapping.remote.map { ["\($0.function) of the workers at \($0.target)"] }
                ?? mapping.new.map { "\($0.name) = \(mapping.forward[$0.name] ?? "")" }
            undo = .stays
        case .fillMove(let number):
            let move = plan.columnMoves[number]
            statements = move.columns.map { "\(move.to.name).\($0.to.name) = \(move.table.name).\($0.from.name)" }
            undo = .stays
        case .check(let query, _):
            statements = [query]
            undo = .nothing
        case .verify:
            statements = []
            undo = .nothing
            self.rows = estimates.isEmpty ? nil : estimates.reduce(0) { $0 + $1.rows }
        }
        if isFinal { undo = .impossible }
        // Building an index waits for whoever began before, as long as it takes, and nobody queues behind it.
        maxLockWait = step.hasStatementsOfATransaction ? MigrationEngine.lockWait : nil
    }
}

extension Step {
    /// Which take locks that others feel, whoever wrote them.
    fileprivate var hasStatementsOfATransaction: Bool {
        if case .statements(let apply, _) = action { !apply.isEmpty } else { false }
    }
}

/// What filling the columns of one table may cost. Rough: a load that writes as well, checkpoints and wide indexes change it.
public struct BackfillEstimate: Codable, Sendable, Hashable {
    public var table: String
    public var columns: [String]
    /// The planner's estimate, or a count where the table was never analyzed.
    public var rows: Int64
    /// On how many rows the widths and the time of the expressions were measured; 0 where a worker computes them.
    public var sampledRows: Int64
    /// Of a row as it is, and what the new columns add to it, on average in bytes.
    public var rowBytes: Double
    public var addedBytes: Double
    /// Of the expressions, for one row, on average.
    public var microsecondsPerRow: Double
    /// With `backfill.workers`; nil where a worker computes them.
    public var seconds: Double?
    public var walBytes: Int64
    /// That tables and indexes may grow by until VACUUM has gone over them.
    public var diskBytes: Int64
    /// With what `fillfactor` about seven of ten rows would stay on their pages (HOT) instead of about half. It is for pages
    /// that are written from then on. Nil where they have that much room, and where it would not matter.
    public var fillfactor: Int?
}

/// How the numbers of an estimate come about.
public enum EstimateMethod {
    /// A chunked UPDATE of one row with its triggers, without expression and indexes; what each index adds, about half of the rows
    /// staying on their page; and each byte of the row. `make bench NAME=backfill`, PostgreSQL 15, one worker, two indexes: 164 000
    /// rows of 100 bytes a second, 93 000 of 1000.
    static let writeMicroseconds = 4.0
    static let indexMicroseconds = 1.0
    static let byteMicroseconds = 0.005
    /// The same where a row is made in another table, with its triggers and the look at its foreign key. Measured on PostgreSQL
    /// 15: 12 300 rows a second with one worker, on a machine that had other work.
    static let moveMicroseconds = 75.0
    static let moveIndexMicroseconds = 4.0
    /// Bytes: a tuple's header and pointer; the WAL record of an update; an entry of a B-tree in the WAL, and on disk.
    static let tupleBytes = 28.0
    static let recordBytes = 60.0
    static let indexRecordBytes = 60.0
    static let indexEntryBytes = 24.0
    /// A smaller table is filled in no time; in bytes.
    private static let smallHeap: Int64 = 16 << 20

    /// Room for what one of the four passes over a page writes. Measured on PostgreSQL 15, rows of 100 bytes, two indexes: of
    /// full pages 48 % of the rows stayed where they were, with this much room 71 %.
    private static func fillfactor(_ facts: TableFacts, rowBytes: Double, newRowBytes: Double) -> Int? {
        let wanted = Int(100 / (1 + (newRowBytes + tupleBytes) / (rowBytes + tupleBytes) / 4))
        return facts.heapBytes >= smallHeap && facts.fillfactor > wanted ? wanted : nil
    }

    /// For people.
    public static let text = """
        Rows are the planner's estimate. Widths and the time of the expressions are measured on a sample of at most \
        \(SampleQueries.rows) rows (TABLESAMPLE SYSTEM), read only. Time: rows × (expressions + 4 µs + 1 µs for each index \
        + 5 ns for each byte) ÷ backfill.workers; 75 µs and 4 µs for each index where the columns go to another table. A slower \
        machine, or one that does something else, takes longer. WAL: each row's new version, an entry in each index, and each page of the table once as a full page \
        image. Disk: a second version of each row, until VACUUM. A load of its own on the server makes it slower.
        """

    /// Of columns that go to another table: a row there for each, in its indexes, beside a look at it for each of its triggers.
    static func estimate(
        _ move: ColumnMove, _ target: TableFacts, rows: Int64, filled: Int64, sampled: Int64, rowBytes: Double,
        workers: Int
    ) -> BackfillEstimate {
        let count = Double(filled)
        let indexes = Double(max(target.indexes, 1))
        let microseconds = moveMicroseconds + moveIndexMicroseconds * indexes
        return BackfillEstimate(
            table: move.table.description, columns: move.columns.map { "\(move.to.name).\($0.to.name)" }, rows: rows,
            sampledRows: sampled, rowBytes: rowBytes.rounded(), addedBytes: rowBytes.rounded(), microsecondsPerRow: 0,
            seconds: (count * microseconds / Double(workers) / 100_000).rounded() / 10,
            walBytes: Int64(count * (rowBytes + recordBytes + indexRecordBytes * indexes)),
            diskBytes: Int64(count * (rowBytes + tupleBytes + indexEntryBytes * indexes)))
    }

    static func estimate(
        _ mapping: Mapping, _ facts: TableFacts, rows: Int64, sampled: Int64, rowBytes: Double, addedBytes: Double,
        secondsOfExpressions: Double, workers: Int
    ) -> BackfillEstimate {
        let perRow = sampled > 0 ? secondsOfExpressions / Double(sampled) * 1_000_000 : 0
        let count = Double(rows)
        let indexes = Double(facts.indexes)
        let newRow = rowBytes + addedBytes + 2
        let microseconds = perRow + writeMicroseconds + indexMicroseconds * indexes + byteMicroseconds * newRow
        return BackfillEstimate(
            table: mapping.table.description, columns: mapping.new.map(\.name), rows: rows, sampledRows: sampled,
            rowBytes: rowBytes.rounded(), addedBytes: addedBytes.rounded(),
            microsecondsPerRow: (perRow * 10).rounded() / 10,
            seconds: mapping.remote == nil ? (count * microseconds / Double(workers) / 100_000).rounded() / 10 : nil,
            walBytes: Int64(count * (newRow + recordBytes + indexRecordBytes * indexes)) + facts.heapBytes,
            diskBytes: Int64(count * (newRow + tupleBytes + indexEntryBytes * indexes)),
            fillfactor: sampled > 0 ? fillfactor(facts, rowBytes: rowBytes, newRowBytes: newRow) : nil)
    }
}
