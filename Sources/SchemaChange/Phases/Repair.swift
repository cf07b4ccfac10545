/// Triggers that keep both sides right are made again when somebody has dropped, disabled or replaced one.
extension PlanBuilder {
    /// All of them; nil where there are none. Markers stay, and with them what is known of each row; which rows were written
    /// meanwhile, the comparison that follows finds out.
    ///
    /// One step for all tables: after it the ledger takes the triggers for right that are there.
    var repair: (step: Step, archived: [ArchivedRepair])? {
        let tables = triggeredTables
        guard !tables.isEmpty else { return nil }
        var statements = ["LOCK TABLE \(tables.map(\.quoted).joined(separator: ", ")) IN ACCESS EXCLUSIVE MODE"]
        var archived: [ArchivedRepair] = []
        func add(_ live: [String], _ token: String, whenArchived: [String]) {
            if let step = archiveSteps[token] {
                archived.append(
                    ArchivedRepair(
                        step: step, token: token, first: statements.count, count: live.count, statements: whenArchived))
            }
            statements += live
        }
        for mapping in mappings {
            let triggers = DualWriteTriggers(mapping: mapping)
            let archive = ArchiveTrigger(mapping: mapping)
            add(triggers.drop + triggers.create, mapping.token, whenArchived: archive.drop + archive.create)
        }
        for fill in fills {
            var archive = fill
            archive.storedAs = Mapping.archivedName(token: fill.token, index: 0)
            add(fill.drop + fill.create, fill.token, whenArchived: archive.drop + archive.create)
        }
        for move in moves {
            let triggers = MoveTriggers(move: move)
            add(
                triggers.dropFrom + triggers.dropTo + triggers.createTo + triggers.createFrom, move.token,
                whenArchived: triggers.dropTo + triggers.createArchivedTo)
        }
        let step = Step(
            id: "repair",
            phase: .dualWrite,
            title: "making the triggers of \(tables.map(\.description).joined(separator: ", ")) again",
            action: .statements(apply: statements, revert: nil),
            table: tables.count == 1 ? tables[0] : nil,
            lock: "ACCESS EXCLUSIVE"
        )
        return (step, archived)
    }
}

/// What is done instead of some statements of ``Plan/repair`` while the old columns of a change are in the archive: its
/// triggers are others then.
public struct ArchivedRepair: Codable, Hashable, Sendable {
    /// The step that takes them there.
    let step: String
    /// See ``Mapping/token``.
    let token: String
    let first: Int
    let count: Int
    let statements: [String]
}

extension Plan {
    public var repairID: String? { repair?.id }

    /// The step that makes the triggers again which belong there; nil where there are none, or nobody knows those of the
    /// archive.
    ///
    /// - Parameters:
    ///   - applied: the ids of the steps that are in force.
    ///   - filled: the tokens of the mappings all of whose rows were filled.
    public func repair(whenApplied applied: Set<String>, filled: Set<String>) -> Step? {
        guard let repair, case .statements(var statements, _) = repair.action else { return nil }
        let isContracting = steps(of: .contract).contains { applied.contains($0.id) }
        if isContracting, archivedRepairs == nil { return nil }
        let archived = (archivedRepairs ?? []).filter { applied.contains($0.step) }
        for part in archived.reversed() {
            statements.replaceSubrange(part.first..<part.first + part.count, with: part.statements)
        }
        let tokens = Set(archived.map(\.token))
        let settled = mappings.filter { filled.contains($0.token) && !tokens.contains($0.token) }.flatMap(\.settle)
        return Step(
            id: repair.id, phase: repair.phase, title: repair.title,
            action: .statements(apply: statements + settled, revert: nil), table: repair.table, lock: repair.lock)
    }

    /// What a step needs besides when it is undone and brings old columns back: a row that was written past the triggers of
    /// the archive, and has no side, must not be filled from an old one that it never had.
    ///
    /// - Parameter filled: see ``repair(whenApplied:filled:)``.
    public func settling(whenUndone step: Step, filled: Set<String>) -> [String] {
        let tokens = Set((archivedRepairs ?? []).filter { $0.step == step.id }.map(\.token)).intersection(filled)
        return mappings.filter { tokens.contains($0.token) }.flatMap(\.settle)
    }
}
