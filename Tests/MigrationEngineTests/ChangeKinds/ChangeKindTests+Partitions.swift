import MigrationEngine
import SchemaChange
import TestSupport
import Testing

extension ChangeKindTests {
    /// Partitions of partitions, one of which is empty.
    static let sales = """
        CREATE TABLE sales (region int NOT NULL, id int NOT NULL, price int NOT NULL, note text, PRIMARY KEY (region, id))
            PARTITION BY LIST (region);
        CREATE TABLE sales_1 PARTITION OF sales FOR VALUES IN (1);
        CREATE TABLE sales_2 PARTITION OF sales FOR VALUES IN (2) PARTITION BY RANGE (id);
        CREATE TABLE sales_2a PARTITION OF sales_2 FOR VALUES FROM (0) TO (100);
        CREATE TABLE sales_2b PARTITION OF sales_2 FOR VALUES FROM (100) TO (200);
        CREATE TABLE sales_3 PARTITION OF sales FOR VALUES IN (3);
        CREATE TABLE sales_4 PARTITION OF sales FOR VALUES IN (4);
        INSERT INTO sales SELECT 1 + i % 2, i, i, 'n' || i FROM generate_series(1, 150) i;
        ANALYZE sales;
        """
    static let cents = Change.replaceColumns(
        ReplaceColumns(
            table: "sales", from: ["price"], to: [NewColumn(name: "cents", type: "bigint", nullable: false)],
            forward: ["cents": "price::bigint * 100"], backward: ["price": "(cents / 100)::int"]))

    /// How many rows are not as they should be, in all partitions.
    private static let uneven = "SELECT count(*) FROM sales WHERE cents IS DISTINCT FROM price * 100"

    @Test(
        "all partitions change together, rows move between them, and everything comes back",
        arguments: PostgresVersion.allCases)
    func partitions(on version: PostgresVersion) async throws {
        try await roundTrip(
            Self.sales,
            [Self.cents, Self.add(NewColumn(name: "upper", type: "text"), to: "sales", forward: "upper(note)")],
            [
                Stop(
                    .dualWrite,
                    """
                    UPDATE sales SET region = 3, price = 7 WHERE id = 1;
                    UPDATE sales SET region = 3, cents = 850 WHERE id = 2;
                    UPDATE sales SET region = 3 WHERE id = 3;
                    INSERT INTO sales VALUES (3, 201, 9, 'x');
                    UPDATE sales SET region = 4, price = 8, cents = 900 WHERE id = 5;
                    SELECT region, id, price, cents, upper FROM sales WHERE region > 2 ORDER BY id
                    """,
                    "3|1|7|700|N1\n3|2|8|850|N2\n3|3|3|300|N3\n4|5|9|900|N5\n3|201|9|900|X"
                ),
                Stop(.backfill, Self.uneven + " AND id <> 2", "0"),
                Stop(
                    .contract,
                    """
                    UPDATE sales SET region = 1 WHERE id IN (2, 5);
                    UPDATE sales SET region = 4, cents = 1250 WHERE id = 7;
                    SELECT region, id, cents FROM sales WHERE id IN (2, 5, 7) ORDER BY id
                    """,
                    "1|2|850\n1|5|900\n4|7|1250"
                ),
            ],
            left: (
                "SELECT region, id, price FROM sales WHERE id < 8 OR id = 201 ORDER BY id",
                "3|1|7\n1|2|8\n3|3|3\n1|4|4\n1|5|9\n1|6|6\n4|7|12\n3|201|9"
            ),
            on: version)
    }
}
