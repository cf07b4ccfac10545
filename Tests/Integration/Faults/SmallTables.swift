import Foundation
import KubernetesClient
import MigrationOperator
import TestSupport

/// Migrations of tables of their own, so that several stories share one stage.
extension FaultStage {
    /// A table of twenty rows for each name.
    func makeTables(_ names: [String]) async throws {
        let tables = names.map {
            """
            CREATE TABLE \($0) (id bigint PRIMARY KEY, a text NOT NULL);
            INSERT INTO \($0) SELECT n, 'row ' || n FROM generate_series(1, 20) n;
            """
        }
        try await stage.psql(tables.joined(separator: "\n"))
    }

    /// A Migration of the table that has its name: `a` becomes `b`.
    static func manifest(
        _ name: String, phase: String = "Backfill", forward: String = "upper(a)", fields: String = ""
    ) -> String {
        """
        apiVersion: sluice.dev/v1alpha1
        kind: Migration
        metadata: {name: \(name)}
        spec:
          phase: \(phase)
          database: {urlFrom: {secretKeyRef: {name: db, key: url}}}
          contract: {soak: 0s, withoutRollouts: true}
          \(fields)
          changes:
          - alterColumn: {table: \(name), column: a, to: {name: b, type: text}, forward: "\(forward)", backward: "lower(b)"}
        """
    }

    func apply(_ manifests: [String]) async throws {
        try await stage.apply(manifests.joined(separator: "\n---\n"))
    }

    /// Deletes a Migration as it goes where no operator looks after it: with its finalizers taken away.
    func deleteAtOnce(_ name: String) async throws {
        try await stage.kubectl(
            "patch", "migration", name, "--type=merge", "-p", #"{"metadata":{"finalizers":null}}"#)
        try await stage.kubectl("delete", "migration", name, "--wait=false", "--ignore-not-found")
        try await eventually("\(name) is gone") {
            try await stage.client.find(Migration.self, ObjectKey(name, in: stage.namespace)) == nil
        }
    }
}
