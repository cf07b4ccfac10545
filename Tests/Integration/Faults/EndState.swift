import Foundation
import KubernetesClient
import MigrationOperator
import SchemaChange
import TestSupport

/// All that a story leaves behind, without what differs from one run to the next: names, times, counts of versions.
struct EndState: Equatable, CustomStringConvertible {
    let parts: [String: String]

    var description: String {
        parts.sorted { $0.key < $1.key }.map { "\($0.key): \($0.value)" }.joined(separator: "\n")
    }

    /// The lines in which two differ: `-` what was expected and is not there, `+` what is there instead.
    func differences(from expected: EndState) -> [String] {
        Set(parts.keys).union(expected.parts.keys).sorted().flatMap { part in
            let (ours, theirs) = (lines(part), expected.lines(part))
            return theirs.filter { !ours.contains($0) }.map { "- \(part): \($0)" }
                + ours.filter { !theirs.contains($0) }.map { "+ \(part): \($0)" }
        }
    }

    private func lines(_ part: String) -> [Substring] { parts[part]?.split(separator: "\n") ?? [] }

    /// - Parameters:
    ///   - table: the one whose rows count.
    ///   - countsWalks: whether it matters how often the way changed.
    init(of stage: Stage, table: String = "customers", countsWalks: Bool = true) async throws {
        var parts: [String: String] = [:]
        for migration in try await stage.client.list(Migration.self, in: stage.namespace).items {
            parts["migration \(migration.metadata.name)"] = Self.text(migration)
        }
        for deployment in try await stage.client.list(Deployment.self, in: stage.namespace).items {
            parts["deployment \(deployment.metadata.name)"] = Self.text(deployment)
        }
        parts["ledger"] = try await stage.psql(
            """
            SELECT id, phase, target, walk, plan_hash, purged, certificate IS NOT NULL, kept_until IS NOT NULL
            FROM sluice.migration ORDER BY id;
            SELECT migration, step FROM sluice.step ORDER BY migration, step;
            """)
        parts["promises"] = try await stage.psql(
            """
            SELECT id, state FROM sluice.promise ORDER BY id;
            SELECT id, state FROM sluice.task WHERE state <> 'fulfilled' ORDER BY id;
            """)
        parts["rows"] = try await stage.psql(
            "SELECT count(*), md5(string_agg(t::text, ',' ORDER BY id)) FROM \(table) t")
        parts["schema"] = try await Program.output(
            "pg_dump", ["--schema-only", "--schema=public", "--no-owner", "--dbname=" + stage.database])
        let plans = try await stage.psql("SELECT plan_hash FROM sluice.migration ORDER BY id").split(separator: "\n")
        if !countsWalks {
            parts["promises"] = nil
            parts["ledger"] = parts["ledger"]?.replacing(/(\|[A-Z]\w+\|[A-Z]\w+\|)\d+\|/) { "\($0.1)N|" }
        }
        self.parts = parts.mapValues {
            let text = Self.normalised($0, stage, plans.map(String.init))
            return countsWalks ? text : text.replacing(/(PLAN\d+\/w)\d+/) { "\($0.1)N" }
        }
    }

    /// Names of ours hold hashes over the namespace, and a plan's hash is over the database's name as well.
    private static func normalised(_ text: String, _ stage: Stage, _ plans: [String]) -> String {
        var text = text
        for (index, plan) in plans.enumerated() {
            text = text.replacing(plan, with: "PLAN\(index)")
                .replacing("/" + plan.dropFirst("sha256:".count).prefix(4) + "/w", with: "/PLAN\(index)/w")
        }
        return text.replacing(stage.namespace, with: "NAMESPACE")
            .replacing(/_[0-9a-f]{8,}/) { _ in "_HASH" }
            .replacing(/\/[0-9a-f]{8}\//) { _ in "/HASH/" }
            .replacing(/\\(un)?restrict \w+/) { _ in "" }
    }

    private static func text(_ migration: Migration) -> String {
        guard let status = migration.status else { return "no status" }
        let conditions = (status.conditions ?? []).map { condition in
            let isBehind = condition.observedGeneration != migration.metadata.generation
            return
                "\(condition.type)=\(condition.status.rawValue) (\(condition.reason ?? ""))\(isBehind ? " behind" : "")"
        }
        let isBehind = status.observedGeneration != migration.metadata.generation
        return
            "\(migration.metadata.finalizers) \(status.phase?.rawValue ?? "-") \(status.step ?? "-") "
            + "gate \(status.gate?.rawValue ?? "-") \(status.planHash ?? "-") \(status.promise ?? "-") "
            + "\(status.verification.map { "\($0.rowsCompared) rows, \($0.mismatches) wrong" } ?? "unproven")"
            + "\(isBehind ? " behind" : "") \(conditions.joined(separator: ", "))"
    }

    private static func text(_ deployment: Deployment) -> String {
        let ours = deployment.metadata.annotations.filter { $0.key.hasPrefix("sluice.dev/") }
        let managers = deployment.metadata.managedFields.compactMap(\.manager).filter { $0.hasPrefix("sluice") }
        return "paused \(deployment.spec.paused.map { "\($0)" } ?? "-") \(ours.sorted { $0.key < $1.key }) "
            + "managers \(managers.sorted()) template \((try? JSONValue(encoding: deployment.spec.template).text) ?? "")"
    }
}
