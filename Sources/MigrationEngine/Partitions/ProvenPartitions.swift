internal import PostgreSQL
internal import SchemaChange

/// Which partitions of the tables with two sides are proven, as the ledger knows it: each by its identity and by what its
/// triggers were like. One that is attached later, or had a trigger disabled for a while, is none of them until its rows
/// were compared again. One that is detached is of no interest any more.
struct ProvenPartitions: Sendable {
    struct Partition: Sendable, Hashable {
        /// `pg_class.oid`
        let relation: String
        let name: TableName
        /// The partitioned table at the top, quoted.
        let table: String
        /// Tells whether its triggers are still those that they were.
        let triggers: String
        /// Of its rows on disk.
        let bytes: Int64
    }

    static let schema = """
        CREATE TABLE IF NOT EXISTS sluice.partition (
            migration text NOT NULL,
            relation oid NOT NULL,
            triggers text NOT NULL,
            proven boolean NOT NULL,
            PRIMARY KEY (migration, relation)
        )
        """

    /// Up to this size the rows of one that is not proven yet are looked at by whoever asks for the proof; above it the
    /// answer is that they are still to be compared.
    private static let smallEnough: Int64 = 64 << 20

    private let migration: String
    private let plan: Plan

    init(_ plan: Plan, of migration: String) {
        self.plan = plan
        self.migration = migration
    }

    // MARK: As they are

    /// `present`: the leaves of all tables with two sides that are partitioned. Uses `$1` to `$3`.
    ///
    /// To attach a partition makes its triggers, and to disable one writes its row: object ids and `xmin` tell.
    private static let present = """
        present AS (
            SELECT leaf.relid::oid AS relation, n.nspname, c.relname, t.name AS root, pg_relation_size(c.oid) AS bytes,
                md5(coalesce(string_agg(concat_ws(' ', g.oid, g.tgname, g.tgenabled, g.xmin), E'\\n' ORDER BY g.tgname), ''))
                    AS triggers
            FROM unnest($2::text[]) AS t(name)
            JOIN pg_class r ON r.oid = to_regclass(t.name) AND r.relkind = 'p'
            CROSS JOIN LATERAL pg_partition_tree(r.oid) leaf
            JOIN pg_class c ON c.oid = leaf.relid JOIN pg_namespace n ON n.oid = c.relnamespace
            LEFT JOIN (pg_trigger g JOIN pg_proc f ON f.oid = g.tgfoid AND f.pronamespace = to_regnamespace('sluice'))
                ON g.tgrelid = leaf.relid AND g.tgname ~ $3
            WHERE leaf.isleaf
            GROUP BY leaf.relid, n.nspname, c.relname, t.name, c.oid
        )
        """

    private var parameters: [PostgresValue] {
        let tables = Set(plan.mappings.map(\.table.quoted)).sorted()
        return [.text(migration), .textArray(tables), .text(TriggerFingerprint.own(plan))]
    }

    /// Those that nobody has proven as they are.
    func unproven(on connection: PostgresConnection) async throws -> [Partition] {
        guard !plan.mappings.isEmpty else { return [] }
        let rows = try await connection.query(
            """
            WITH \(Self.present)
            SELECT relation::text, nspname, relname, root, triggers, bytes FROM present p
            WHERE NOT EXISTS (
                SELECT FROM sluice.partition k
                WHERE k.migration = $1 AND (k.relation, k.triggers) = (p.relation, p.triggers) AND k.proven)
            ORDER BY p.relation
            """, parameters
        ).rows
        return try rows.map { row in
            Partition(
                relation: try row.text("relation"),
                name: TableName(schema: try row.text("nspname"), name: try row.text("relname")),
                table: try row.text("root"), triggers: try row.text("triggers"), bytes: try row.integer("bytes"))
        }
    }

    /// What keeps the proof from holding for partitions that came since; nil for nothing: what was empty when it came is
    /// right by its triggers.
    ///
    /// - Parameter isContracting: whether old columns may stand in the archive already.
    func flaw(isContracting: Bool, on connection: PostgresConnection) async throws -> String? {
        for partition in try await unproven(on: connection) {
            let what = "partition \(partition.name) was attached, or a trigger of it changed, since all was proven"
            guard partition.bytes <= Self.smallEnough else {
                return "\(what); the next run fills and compares its rows"
            }
            for mapping in plan.mappings where mapping.table.quoted == partition.table {
                let condition = isContracting ? "\(mapping.marker.quotedIdentifier) IS NULL" : mapping.violation
                let found = try await connection.query(
                    "SELECT FROM \(partition.name.quoted) WHERE \(condition) LIMIT 1")
                if found.affectedRows > 0 {
                    return
                        "\(what), and holds rows that are not as their side says; the next run fills and compares them"
                }
            }
        }
        return nil
    }

    // MARK: In the ledger, under the fence

    /// Notes those that are there, before their rows are compared.
    func pin(on connection: PostgresConnection) async throws {
        guard !plan.mappings.isEmpty else { return }
        try await forget(on: connection)
        _ = try await connection.query(
            """
            WITH \(Self.present)
            INSERT INTO sluice.partition SELECT $1, relation, triggers, false FROM present
            """, parameters)
    }

    /// Once all rows are compared: those that were there before that, and are as they were, are proven.
    func certify(on connection: PostgresConnection) async throws {
        guard !plan.mappings.isEmpty else { return }
        _ = try await connection.query(
            """
            WITH \(Self.present)
            UPDATE sluice.partition k SET proven = true FROM present p
            WHERE k.migration = $1 AND (k.relation, k.triggers) = (p.relation, p.triggers)
            """, parameters)
    }

    /// The rows of one were compared. False when it is not as it was before that.
    func prove(_ partition: Partition, on connection: PostgresConnection) async throws -> Bool {
        try await connection.query(
            """
            WITH \(Self.present)
            INSERT INTO sluice.partition SELECT $1, relation, triggers, true FROM present
            WHERE (relation, triggers) = ($4::oid, $5)
            ON CONFLICT (migration, relation) DO UPDATE SET triggers = excluded.triggers, proven = true
            """, parameters + [.text(partition.relation), .text(partition.triggers)]
        ).affectedRows == 1
    }

    /// The proven ones, before a step of ours makes other triggers.
    func proven(on connection: PostgresConnection) async throws -> [String] {
        guard !plan.mappings.isEmpty else { return [] }
        return try await connection.query(
            """
            WITH \(Self.present)
            SELECT relation::text FROM present JOIN sluice.partition k USING (relation, triggers)
            WHERE k.migration = $1 AND k.proven
            """, parameters
        ).rows.compactMap { $0[0] }
    }

    /// After that step, in the same transaction: they stay proven with the triggers that they have now.
    func keep(_ proven: [String], on connection: PostgresConnection) async throws {
        guard !proven.isEmpty else { return }
        _ = try await connection.query(
            """
            WITH \(Self.present)
            UPDATE sluice.partition k SET triggers = p.triggers FROM present p
            WHERE k.migration = $1 AND k.relation = p.relation AND p.relation = ANY ($4::text[]::oid[])
            """, parameters + [.textArray(proven)])
    }

    func forget(on connection: PostgresConnection) async throws {
        _ = try await connection.query("DELETE FROM sluice.partition WHERE migration = $1", [.text(migration)])
    }
}

extension LedgerRecord {
    var partitions: ProvenPartitions { ProvenPartitions(plan, of: id) }

    /// Whether it is proven, and partitions have come since whose rows are to be looked at. Not while somebody has disabled
    /// a trigger: then there is no proof, whatever they hold.
    func hasUnprovenPartitions(on connection: PostgresConnection) async throws -> Bool {
        guard phase >= .backfill, certificate != nil, !isPurged else { return false }
        guard try await !partitions.unproven(on: connection).isEmpty else { return false }
        return try await TriggerFingerprint.read(plan, on: connection) == triggers
    }
}
