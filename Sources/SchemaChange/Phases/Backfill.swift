/// Backfill fills the rows that are there, proves every row, and then declares what was proven.
extension PlanBuilder {
    mutating func addBackfill(of mapping: Mapping, carried: CarriedDependents? = nil) {
        let step = Step(
            id: "backfill/\(index)/fill",
            phase: .backfill,
            title: "filling \(mapping.new.map(\.name).joined(separator: ", ")) of \(mapping.table)",
            action: .backfill(mapping: mappings.count - 1),
            table: mapping.table
        )
        byPhase[.backfill, default: []].append(step)
        if let watch = WatchIndex(mapping) {
            let index = Step(
                id: "backfill/\(index)/\(watch.word)",
                phase: .backfill,
                title: "indexing the rows of \(mapping.table) that are \(watch.meaning)",
                action: .buildIndex(watch.index),
                table: mapping.table,
                lock: "SHARE UPDATE EXCLUSIVE"
            )
            byPhase[.backfill, default: []].append(index)
        }
        for part in carried?.indexes ?? [] { add(.backfill, part, of: mapping) }
        provenConstraints[mapping.token] = carried?.constraints
        add(
            .backfill,
            "analyze",
            "collecting statistics of \(mapping.table)",
            table: mapping.table,
            lock: "SHARE UPDATE EXCLUSIVE",
            apply: ["ANALYZE \(mapping.table.quoted) (\(mapping.new.map(\.stored).joined(separator: ", ")))"],
            revert: []
        )
    }

    /// What the changes asked for, then the proof, then the constraints on new columns and the indexes: the proof names the
    /// rows that would break one.
    var backfillSteps: [Step] {
        let proof = Step(id: "backfill/verify", phase: .backfill, title: "comparing every row", action: .verify)
        let constraints = mappings.flatMap(constraintSteps)
        return (byPhase[.backfill] ?? []) + [proof] + constraints + lastOfBackfill
    }

    private func constraintSteps(of mapping: Mapping) -> [Step] {
        let carried = (provenConstraints[mapping.token] ?? []).map { $0.step(.backfill, of: mapping) }
        // A row that a worker has still to be asked about has no value yet.
        let filled = mapping.remote == nil ? mapping.required : []
        let notNull = filled.flatMap { column in
            NotNull(
                table: mapping.table, column: column.name, interim: column.interim, token: mapping.token,
                requirement: requirements[mapping.token]?.interim(of: column)
            )
            .steps.map { part in
                Step(
                    id: "backfill/\(mapping.token)/\(column.name)/\(part.name)",
                    phase: .backfill,
                    title: part.title,
                    action: .statements(apply: part.apply, revert: part.revert),
                    table: mapping.table,
                    lock: part.lock
                )
            }
        }
        return notNull + carried
    }

    mutating func add(_ phase: Phase, _ part: CarriedDependents.Part, of mapping: Mapping) {
        byPhase[phase, default: []].append(part.step(phase, of: mapping))
    }
}

extension CarriedDependents.Part {
    func step(_ phase: Phase, of mapping: Mapping, undoneBefore: [String]? = nil) -> Step {
        Step(
            id: "\(phase.rawValue.lowercased())/\(mapping.token)/\(name)",
            phase: phase,
            title: title,
            action: index ?? .statements(apply: apply, revert: revert),
            table: table ?? mapping.table,
            lock: lock,
            goesWithContract: goesWithContract ? true : nil,
            undoneBefore: undoneBefore
        )
    }
}
