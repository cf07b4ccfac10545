extension Step {
    /// What a step does besides changing the catalog.
    public enum Work: String, Codable, Sendable {
        /// Nothing: it is over at once.
        case catalog
        /// Waits for somebody outside.
        case waits
        /// Reads some of the rows.
        case samples
        /// Reads every row, while others read and write.
        case scans
        /// Reads every row while others must wait.
        case scansLocked
        /// Builds an index, while others read and write.
        case buildsIndex
        /// Writes each row in a chunk of its own transaction, while others read and write.
        case writesRows
        /// Writes the table anew while others must wait.
        case rewrites
    }

    public var work: Work {
        switch action {
        case .statements(let apply, _): apply.map { work(of: $0) }.max { $0.weight < $1.weight } ?? .catalog
        case .concurrently, .buildIndex: .buildsIndex
        case .dropIndex, .clearIndex: .catalog
        case .declaration: .waits
        case .backfill, .fillMove: .writesRows
        case .check, .verify: .scans
        }
    }

    private func work(of text: String) -> Work {
        // For its own SET NOT NULL PostgreSQL takes the constraint as proof that was validated before, and for the foreign
        // key of a partitioned table those of the partitions.
        let proves: Set<LintCode> = lock == nil ? [] : [.setNotNullScans, .constraintScans]
        var work = Work.catalog
        for tokens in SQLScript(text).statements {
            let statement = StatementLint(tokens)
            for code in statement.remarks.map(\.code) where !proves.contains(code) {
                switch code {
                case .alterTypeRewrites, .addColumnRewrites, .tableRewrites: work = max(work, .rewrites)
                case .constraintScans, .setNotNullScans, .createIndexLocks, .constraintBuildsIndex, .reindexLocks:
                    work = max(work, .scansLocked)
                case .writesAllRows: work = max(work, .writesRows)
                default: break
                }
            }
            if !statement.validates.isEmpty { work = max(work, .scans) }
            if tokens.first?.isWord("analyze") == true { work = max(work, .samples) }
        }
        return work
    }

    private func max(_ left: Work, _ right: Work) -> Work { left.weight < right.weight ? right : left }
}

extension Step.Work {
    fileprivate var weight: Int {
        switch self {
        case .catalog: 0
        case .waits: 1
        case .samples: 2
        case .scans: 3
        case .buildsIndex: 4
        case .writesRows: 5
        case .scansLocked: 6
        case .rewrites: 7
        }
    }
}
