import MigrationEngine
import SchemaChange

/// A table with partitions of partitions, whose rows each write moves, while other partitions come.
extension Scenario {
    static let partitioned = [
        Scenario(
            description: "replaceColumns, partitions",
            setUp: """
                CREATE TABLE items (id int NOT NULL, region int NOT NULL, price int, PRIMARY KEY (id, region))
                    PARTITION BY LIST (region);
                CREATE TABLE items_0 PARTITION OF items FOR VALUES IN (0);
                CREATE TABLE items_1 PARTITION OF items FOR VALUES IN (1) PARTITION BY HASH (id);
                CREATE TABLE items_1a PARTITION OF items_1 FOR VALUES WITH (MODULUS 2, REMAINDER 0);
                CREATE TABLE items_1b PARTITION OF items_1 FOR VALUES WITH (MODULUS 2, REMAINDER 1);
                CREATE TABLE items_2 PARTITION OF items FOR VALUES IN (2);
                CREATE TABLE items_rest PARTITION OF items DEFAULT;
                """,
            changes: [
                .replaceColumns(
                    ReplaceColumns(
                        table: "items", from: ["price"], to: [NewColumn(name: "cents", type: "bigint")],
                        forward: ["cents": "price::bigint * 100"], backward: ["price": "(cents / 100)::int"])),
                .createIndex(CreateIndex(table: "items", columns: [.init(column: "region"), .init(column: "id")])),
            ],
            old: Version(
                oldPhases, reads: "price::text",
                update: Write(
                    ["price": "$k", "region": "$k % 4"], old: "$k::text", new: "($k * 100)::text")),
            new: Version(
                newPhases, reads: "cents::text",
                update: Write(
                    ["cents": "$k * 100 + 5", "region": "$k % 4"], old: "$k::text", new: "($k * 100 + 5)::text")),
            meanwhile: [
                .dualWrite: attach(5, ids: "100001, 100050"),
                .backfill: "CREATE TABLE items_6 PARTITION OF items FOR VALUES IN (6);"
                    + attach(7, ids: "100051, 100100"),
            ],
            cleanUp: "DROP TABLE IF EXISTS items_5, items_6, items_7"
        )
    ]

    /// A partition whose rows no trigger has seen.
    private static func attach(_ region: Int, ids: String) -> String {
        """
        CREATE TABLE items_\(region) (LIKE items INCLUDING DEFAULTS INCLUDING CONSTRAINTS);
        INSERT INTO items_\(region) (id, region, price, meant_old, meant_new)
            SELECT i, \(region), i, i::text, (i * 100)::text FROM generate_series(\(ids)) i;
        ALTER TABLE items ATTACH PARTITION items_\(region) FOR VALUES IN (\(region));
        """
    }
}
