internal import KubernetesClient
internal import MigrationEngine

/// The rules that a schema cannot say without CEL, which servers before 1.25 do not know.
///
/// Works on the spec as it was written, so that every finding names the field that the user wrote.
public struct SpecValidation {
    private let name: String
    private let spec: JSONValue
    private let problem: String?
    private var findings: [SpecFinding] = []

    private init(_ migration: Migration) {
        name = migration.metadata.name
        spec = migration.rawSpec
        problem = migration.specProblem
    }

    /// Everything that is wrong, in the order of the fields; empty when it can be tried.
    public static func findings(_ migration: Migration) -> [SpecFinding] {
        var validation = SpecValidation(migration)
        validation.checkDependencies()
        validation.checkChanges()
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
        if changes.isEmpty {
            add("spec.changes", "there are no changes", "write at least one")
        }
        var made: [String: String] = [:]
        for (index, change) in changes.enumerated() {
            let path = "spec.changes[\(index)]"
            guard let members = change.object, members.count == 1, let (kind, fields) = members.first else {
                add(path, "a change has exactly one key", "write two changes as two entries of the list")
                continue
            }
            let place = "\(path).\(kind)"
            switch kind {
            case "addColumn": checkAddColumn(fields, at: place)
            case "alterColumn": checkAlterColumn(fields, at: place)
            case "replaceColumns": checkReplaceColumns(fields, at: place)
            default: break
            }
            for column in Self.newColumns(kind, fields) {
                let table = fields["table"]?.string ?? ""
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
        // Its own repetitions are found there.
        case "replaceColumns": Set(names(fields["to"])).sorted()
        default: []
        }
    }

    private static func names(_ columns: JSONValue?) -> [String] {
        (columns?.array ?? []).compactMap { $0["name"]?.string }
    }

    private mutating func checkAddColumn(_ fields: JSONValue, at path: String) {
        if fields["default"] != nil, fields["forward"] != nil {
            add(path, "default and forward both say what the column holds", "keep one of them")
        }
        if fields[path: "column", "nullable"]?.bool == false, fields["default"] == nil, fields["forward"] == nil {
            add(
                "\(path).column.nullable", "rows that are there have nothing to put into the column",
                "add default or forward, or leave it nullable")
        }
    }

    private mutating func checkAlterColumn(_ fields: JSONValue, at path: String) {
        let inPlace = ["nullable", "default", "dropDefault"].filter { fields[$0] != nil }
        if let to = fields["to"] {
            if !inPlace.isEmpty {
                add(
                    path, "\(inPlace.joined(separator: " and ")) changes the column in place, to replaces it",
                    "write two migrations, or move it into to")
            }
            for key in ["forward", "backward"] where fields[key] == nil {
                add("\(path).\(key)", "a new column needs forward and backward", "add \(key), an SQL expression")
            }
            if to["name"] != nil, to["name"] == fields["column"] {
                add("\(path).to.name", "the new column has the name of the old one", "give it a name of its own")
            }
        } else {
            for key in ["forward", "backward"] where fields[key] != nil {
                add("\(path).\(key)", "\(key) is for a change of type or meaning", "add to, the new column")
            }
            if inPlace.isEmpty {
                add(path, "nothing changes", "add nullable, default or dropDefault, or to with a new column")
            }
            if fields["default"] != nil, fields["dropDefault"]?.bool == true {
                add(path, "default and dropDefault contradict each other", "keep one of them")
            }
        }
    }

    private mutating func checkReplaceColumns(_ fields: JSONValue, at path: String) {
        let old = (fields["from"]?.array ?? []).compactMap(\.string)
        let new = Self.names(fields["to"])
        checkExpressions(fields["forward"], of: new, side: "to", at: "\(path).forward")
        checkExpressions(fields["backward"], of: old, side: "from", at: "\(path).backward")
        for column in Set(old).intersection(new).sorted() {
            add(
                "\(path).to", "the column \(column) is old and new at the same time",
                "give the new one a name of its own")
        }
        var seen: Set<String> = []
        for column in new where !seen.insert(column).inserted {
            add("\(path).to", "the column \(column) is named twice", "name each new column once")
        }
    }

    private mutating func checkExpressions(_ given: JSONValue?, of columns: [String], side: String, at path: String) {
        let keys = Set((given?.object ?? [:]).keys)
        for column in columns where !keys.contains(column) {
            add(path, "there is no expression for \(column)", "add one: every column of \(side) has its own")
        }
        for key in keys.subtracting(columns).sorted() {
            add("\(path).\(key)", "\(side) has no column \(key)", "mend the name or take it out")
        }
    }

    private mutating func checkDurations() {
        for (group, field) in [("backfill", "chunkDuration"), ("contract", "soak"), ("contract", "keepFor")] {
            guard let text = spec[path: group, field]?.string else { continue }
            guard let value = SpecDuration(text) else {
                add("spec.\(group).\(field)", "\"\(text)\" is not a length of time", "write it like 40ms, 10s or 1h30m")
                continue
            }
            if field == "chunkDuration", value.duration < .milliseconds(1) || value.duration > .seconds(60) {
                add("spec.\(group).\(field)", "\(text) is out of bounds", "choose between 1ms and 60s; 40ms is usual")
            }
        }
    }

    private mutating func checkRollouts() {
        let rollouts = spec["rollouts"]?.array ?? []
        for (index, rollout) in rollouts.enumerated() {
            let apiVersion = rollout["apiVersion"]?.string ?? ""
            let kind = rollout["kind"]?.string ?? ""
            if apiVersion != "apps/v1" || kind != "Deployment" {
                add(
                    "spec.rollouts[\(index)]", "\(kind) of \(apiVersion) cannot be followed",
                    "name Deployments of apps/v1; other workloads are guarded by oldSessions")
            }
        }
        if !rollouts.isEmpty, spec[path: "contract", "withoutRollouts"]?.bool == true {
            add(
                "spec.contract.withoutRollouts", "it says that no workload uses the tables, and rollouts names one",
                "keep one of them")
        }
    }
}
