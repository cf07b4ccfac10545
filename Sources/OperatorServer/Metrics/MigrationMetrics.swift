internal import Foundation
internal import KubernetesClient
internal import MigrationOperator
internal import Prometheus
internal import SchemaChange

/// The metrics of Migrations and gates, read from the leader's cache whenever somebody asks.
///
/// Only the leader shows them, so that a sum over all replicas counts each Migration once; a Migration's series go with it.
enum MigrationMetrics {
    typealias Sample = MetricsRegistry.Sample

    static func register(in registry: MetricsRegistry, of state: OperatorState) {
        for metric in all {
            registry.gauge(metric.name, metric.help) {
                (state.snapshot?.migrations ?? []).sorted { $0.key < $1.key }.flatMap { migration in
                    metric.read(migration).map { value, labels in
                        Sample(value, labels: labels.merging(migration.labels) { $1 })
                    }
                }
            }
        }
        registry.gauge("sluice_gate_held_workloads", "Workloads whose rollout the gate holds, by namespace and kind.") {
            let held = Dictionary(grouping: state.snapshot?.held ?? []) {
                [$0.key.namespace ?? "", $0.kind.rawValue]
            }
            return held.sorted { $0.key.lexicographicallyPrecedes($1.key) }.map { labels, workloads in
                Sample(Double(workloads.count), labels: ["namespace": labels[0], "kind": labels[1]])
            }
        }
    }

    private struct Metric: Sendable {
        let name: String
        let help: String
        /// Each value with the labels that it has besides the Migration's.
        let read: @Sendable (Migration) -> [(Double, [String: String])]

        init(_ name: String, _ help: String, read: @escaping @Sendable (Migration) -> [(Double, [String: String])]) {
            self.name = name
            self.help = help
            self.read = read
        }

        /// One value, where it is known.
        static func value(
            _ name: String, _ help: String, _ read: @escaping @Sendable (MigrationStatus) -> Double?
        ) -> Metric {
            Metric(name, help) { migration in migration.status.flatMap(read).map { [($0, [:])] } ?? [] }
        }
    }

    private static let all: [Metric] = [
        Metric("sluice_migration_info", "1 for each Migration, with its last complete phase and present step.") {
            let phase = $0.status?.phase?.rawValue ?? ""
            return [(1, ["phase": phase, "step": $0.status?.step ?? "", "plan": $0.status?.planHash ?? ""])]
        },
        Metric("sluice_migration_condition", "1 for the status that a condition of a Migration has, 0 for the others.")
        {
            ($0.status?.conditions ?? []).flatMap { condition in
                [Condition.Status.yes, .no, .unknown].map { status in
                    (condition.status == status ? 1 : 0, ["type": condition.type, "status": status.rawValue])
                }
            }
        },
        Metric(
            "sluice_migration_throttled_since_timestamp_seconds",
            "Since when the backfill of a Migration is held, in Unix time, by what holds it; none where nothing does."
        ) {
            guard let condition = $0.status?.condition(.throttled), condition.status == .yes,
                let since = condition.lastTransitionTime
            else { return [] }
            return [(since.date.timeIntervalSince1970, ["reason": condition.reason ?? ""])]
        },
        Metric("sluice_migration_gate_open", "1 where workloads that require the Migration may roll out.") {
            if case .open = RequiredMigration($0) { [(1, [:])] } else { [(0, [:])] }
        },
        .value("sluice_migration_rows_done", "Rows that the backfill is through with.") {
            $0.progress.map { Double($0.rowsDone) }
        },
        .value("sluice_migration_rows_total", "Rows that the backfill has to go through, by estimate.") {
            $0.progress.map { Double($0.rowsTotal) }
        },
        .value("sluice_migration_rows_per_second", "How fast the backfill goes.") {
            $0.progress?.rowsPerSecond.map(Double.init)
        },
        .value(
            "sluice_migration_heap_only_ratio",
            "Of the row versions that the backfill wrote, those that stayed on their page."
        ) {
            $0.progress?.heapOnlyPercent.map { Double($0) / 100 }
        },
        .value("sluice_migration_rows_compared", "Rows that the last proof compared.") {
            $0.verification.map { Double($0.rowsCompared) }
        },
        .value("sluice_migration_mismatches", "Rows that the last proof found wrong.") {
            $0.verification.map { Double($0.mismatches) }
        },
        .value("sluice_migration_verified_timestamp_seconds", "When the last proof was given, in Unix time.") {
            $0.verification?.at.date.timeIntervalSince1970
        },
    ]
}

extension Migration {
    fileprivate var labels: [String: String] {
        ["namespace": metadata.namespace ?? "", "name": metadata.name]
    }
}
