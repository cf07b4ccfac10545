import Foundation
import KubernetesClient
import MigrationOperator
import TestSupport

/// A namespace of a real cluster, a database on a real server, and the `sluice` program as the operator between them.
struct Stage: Sendable {
    let kubeconfig: String
    let namespace: String
    let database: String
    let client: KubernetesClient

    var kubectl: Kubectl { Kubectl(kubeconfig: kubeconfig, namespace: namespace) }

    init(kubeconfig: String, namespace: String, database: String) throws {
        self.kubeconfig = kubeconfig
        self.namespace = namespace
        self.database = database
        let configuration = try ClusterConfiguration.load(
            kubeconfig: kubeconfig,
            environment: ProcessInfo.processInfo.environment
        )
        client = KubernetesClient(configuration, version: "test")
    }

    /// Runs the operator beside the body, by its own account, with a short lease for its workers, and kills it at the end. It has the same
    /// identity each time, so that it leads again at once.
    @discardableResult
    func withOperator<Value>(
        proofSeconds: Int = 60,
        _ options: [String] = [],
        kubeconfig: String? = nil,
        _ body: (SluiceProcess) async throws -> Value
    ) async throws -> Value {
        let usual = [
            "operator", "--kubeconfig", kubeconfig ?? self.kubeconfig, "--context", OperatorAccount.context,
            "--namespace", namespace, "--lease-namespace", namespace,
            "--identity", "test", "--lease-seconds", "5", "--proof-seconds", "\(proofSeconds)",
        ]
        return try await withSluice(usual + options) { process in
            try await body(process)
        }
    }

    @discardableResult
    func psql(_ sql: String) async throws -> String {
        try await Psql.run(sql, on: database).trimmingCharacters(in: .whitespacesAndNewlines)
    }

    /// `count` customers with a first and a last name, one in ten with one name only.
    func makeCustomers(_ count: Int) async throws {
        _ = try await psql(
            """
            CREATE TABLE customers (id bigserial PRIMARY KEY, full_name text NOT NULL);
            INSERT INTO customers (full_name)
            SELECT 'First' || n || CASE WHEN n % 10 = 0 THEN '' ELSE ' Last' || n END FROM generate_series(1, \(count)) n;
            ANALYZE customers;
            """
        )
    }

    /// The manifest of a Migration that splits `customers.full_name`, with `fields` of the spec besides.
    func splitManifest(_ name: String = "split", fields: String = "", forward: String = "split_part(full_name, ' ', 1)")
        -> String
    {
        """
        apiVersion: sluice.dev/v1alpha1
        kind: Migration
        metadata: {name: \(name)}
        spec:
          database: {urlFrom: {secretKeyRef: {name: db, key: url}}}
          \(fields)
          changes:
          - replaceColumns:
              table: customers
              from: [full_name]
              to:
              - {name: first_name, type: text}
              - {name: last_name, type: text}
              forward:
                first_name: "\(forward)"
                last_name: "substr(full_name, strpos(full_name || ' ', ' ') + 1)"
              backward: {full_name: "first_name || CASE WHEN last_name <> '' THEN ' ' || last_name ELSE '' END"}
        """
    }

    func apply(_ manifest: String) async throws {
        try await kubectl("apply", "-f", "-", input: manifest)
    }

    func migration(_ name: String = "split") async throws -> Migration {
        try await client.get(Migration.self, ObjectKey(name, in: namespace))
    }

    /// The Migration, once the condition has this status and, where one is given, this reason, for its present spec.
    @discardableResult
    func waitFor(
        _ type: MigrationCondition,
        _ status: Condition.Status = .yes,
        reason: String? = nil,
        of name: String = "split",
        within limit: Duration = .seconds(60)
    ) async throws -> Migration {
        let what = "\(name) is \(type.rawValue)=\(status.rawValue)" + (reason.map { " (\($0))" } ?? "")
        try await eventually(what, within: limit) {
            let migration = try await migration(name)
            let condition = migration.status?.condition(type)
            let isOfThisSpec = condition?.observedGeneration == migration.metadata.generation
            return "\(condition?.status.rawValue ?? "-") \(condition?.reason ?? "-")"
                + (isOfThisSpec ? "" : " for an older spec") + ": \(condition?.message ?? "-")"
        } until: {
            $0.hasPrefix("\(status.rawValue) \(reason ?? "")") && !$0.contains("for an older spec")
        }
        return try await migration(name)
    }

    /// Once the backfill has begun and is not at its end.
    func waitForBackfill(of name: String = "split", rows: Int64 = 1) async throws {
        try await eventually("the backfill is under way", within: .seconds(60), every: .milliseconds(20)) {
            let done = try await psql("SELECT coalesce(sum(rows), 0) FROM sluice.checkpoint WHERE step LIKE '%/fill'")
            return (Int64(done) ?? 0) >= rows
        }
    }

    /// How many rows are not what their side says, by SQL of the test's own.
    func wrongRows() async throws -> String {
        try await psql(
            """
            SELECT count(*) FROM customers WHERE full_name IS DISTINCT FROM
                first_name || CASE WHEN last_name <> '' THEN ' ' || last_name ELSE '' END
            """
        )
    }
}

/// Gives the body a stage on the shared servers.
func withStage<Value>(_ body: (Stage) async throws -> Value) async throws -> Value {
    try await withTestDatabase { url in
        try await withStage(kubeconfig: try TestServers.kubeconfig, database: url, body)
    }
}

/// An operator, its load and its kubectl want a processor each: only so many at once.
private let stages = Places(2)

/// The same with servers of one's own.
func withStage<Value>(
    kubeconfig: String,
    database: String,
    _ body: (Stage) async throws -> Value
) async throws -> Value {
    try await stages.with {
        try await withFreeStage(kubeconfig: kubeconfig, database: database, body)
    }
}

private func withFreeStage<Value>(
    kubeconfig: String,
    database: String,
    _ body: (Stage) async throws -> Value
) async throws -> Value {
    try await withNamespace(kubeconfig: kubeconfig) { namespace in
        let stage = try Stage(kubeconfig: kubeconfig, namespace: namespace, database: database)
        try await Installer(client: stage.client).install()
        try await OperatorAccount.settle(in: namespace, kubeconfig: kubeconfig)
        try await stage.kubectl("create", "secret", "generic", "db", "--from-literal=url=" + database)
        do {
            let value = try await body(stage)
            try await stage.letGo()
            return value
        } catch {
            try? await stage.letGo()
            throw error
        }
    }
}

extension Stage {
    /// No operator is left to take the finalizers off.
    fileprivate func letGo() async throws {
        for migration in try await client.list(Migration.self, in: namespace).items {
            try await kubectl(
                "patch", "migration", migration.metadata.name, "--type=merge", "-p",
                #"{"metadata":{"finalizers":null}}"#
            )
        }
    }
}
