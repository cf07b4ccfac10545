internal import KubernetesClient
internal import MigrationEngine
internal import SchemaChange

/// The rules that a schema cannot say without CEL, which servers before 1.25 do not know. What a kind of change asks of
/// its fields, the kind says itself.
///
/// Works on the spec as it was written, so that every finding names the field that the user wrote.
public struct SpecValidation {
    private let name: String
    private let spec: JSONValue
    /// Nil when they cannot be read.
    private let changes: [Change]?
    private let backfill: BackfillSettings?
    private let writer: DualWriter
    private let problem: String?
    private var findings: [SpecFinding] = []

    private init(_ migration: Migration) {
        name = migration.metadata.name
        changes = migration.spec?.changes
        backfill = migration.spec?.backfill
        writer = migration.spec?.writer ?? .database
        spec = migration.rawSpec
        problem = migration.specProblem
    }

    /// Everything that is wrong, in the order of the fields; empty when it can be tried.
    public static func findings(_ migration: Migration) -> [SpecFinding] {
        var validation = SpecValidation(migration)
        validation.checkDependencies()
        validation.checkChanges()
        if let changes = validation.changes {
            validation.findings += PlanBuilder.flaws(in: changes, writer: validation.writer).map {
                SpecFinding($0)
            }
        }
        validation.checkDurations()
        validation.checkRollouts()
        if let problem = validation.problem, validation.findings.isEmpty {
            validation.add("spec", problem, "mend the field and apply the manifest again")
        }
        return validation.findings
    }

    private mutating func add(_ path: String, _ what: String, _ advice: String) {
        findings.append(SpecFinding(path: path, what: what, advice: advice))
    }

    private mutating func checkDependencies() {
        for (index, dependency) in (spec["dependsOn"]?.array ?? []).enumerated() where dependency.string == name {
            add("spec.dependsOn[\(index)]", "the migration waits for itself", "take \(name) out of the list")
        }
    }

    private mutating func checkChanges() {
        let changes = spec["changes"]?.array ?? []
        var made: [String: String] = [:]
        for (index, change) in changes.enumerated() {
            let path = "spec.changes[\(index)]"
            guard let members = change.object, members.count == 1, let (kind, fields) = members.first else {
                add(path, "a change has exactly one key", "write two changes as two entries of the list")
                continue
            }
            let place = "\(path).\(kind)"
            for column in Self.newColumns(kind, fields) {
                let table = fields[kind == "moveToTable" ? "to" : "table"]?.string ?? ""
                if let other = made.updateValue(place, forKey: "\(table)\u{0}\(column)") {
                    add(place, "the column \(column) of \(table) is made by \(other) already", "name another one")
                }
            }
        }
    }

    private static func newColumns(_ kind: String, _ fields: JSONValue) -> [String] {
        switch kind {
        case "addColumn": [fields[path: "column", "name"]?.string].compactMap(\.self)
        case "alterColumn": [fields[path: "to", "name"]?.string].compactMap(\.self)
        case "replaceColumns": (fields["to"]?.array ?? []).compactMap { $0["name"]?.string }
        case "moveToTable":
            (fields["columns"]?.array ?? []).compactMap { $0["to"]?.string ?? $0["name"]?.string }
        default: []
        }
    }

    private mutating func checkDurations() {
        for (group, field) in [("backfill", "chunkDuration"), ("contract", "soak"), ("contract", "keepFor")] {
            guard let text = spec[path: group, field]?.string else { continue }
            if SpecDuration(text) == nil {
                add("spec.\(group).\(field)", "\"\(text)\" is not a length of time", "write it like 40ms, 10s or 1h30m")
            }
        }
        for found in backfill?.outOfBounds ?? [] { add(found.path, found.what, found.advice) }
    }

    private mutating func checkRollouts() {
        let rollouts = spec["rollouts"]?.array ?? []
        for (index, rollout) in rollouts.enumerated() {
            let apiVersion = rollout["apiVersion"]?.string ?? ""
            let kind = rollout["kind"]?.string ?? ""
            let known = WorkloadKind(apiVersion: apiVersion, kind: kind)
            if known == nil || known == .job {
                add(
                    "spec.rollouts[\(index)]", "\(kind) of \(apiVersion) cannot be followed",
                    "name a Deployment, StatefulSet or DaemonSet of apps/v1, a CronJob of batch/v1 or a Rollout of "
                        + "argoproj.io/v1alpha1; others are guarded by contract.oldSessions")
            }
        }
        if !rollouts.isEmpty, spec[path: "contract", "withoutRollouts"]?.bool == true {
            add(
                "spec.contract.withoutRollouts", "it says that no workload uses the tables, and rollouts names one",
                "keep one of them")
        }
    }
}
