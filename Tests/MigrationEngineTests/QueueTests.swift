import MigrationEngine
import SchemaChange
import TestSupport
import Testing

@Suite("Migrations of one table that wait for each other")
struct QueueTests {
    private static let items =
        "CREATE TABLE items (id int PRIMARY KEY, a text); INSERT INTO items VALUES (1, 'x'), (2, 'y')"

    private static func adding(_ name: String, forward: String = "upper(a)") -> MigrationSpec {
        EvolvingDatabase.spec(
            [ChangeKindTests.add(NewColumn(name: name, type: "text"), forward: forward)], keepFor: .zero)
    }

    @Test("say what is in the way of the one before, though it has done nothing yet, and how to get past it")
    func failedAtExpand() async throws {
        try await EvolvingDatabase.with(Self.items) { database in
            let first = EvolvingDatabase.spec([
                .sql(
                    SQLChange(
                        tables: ["items"], expand: ["SELECT 1 / (id - 1) FROM items"], rollback: ["SELECT 1"])
                ),
                ChangeKindTests.add(NewColumn(name: "one", type: "text")),
            ])
            let failure = try await database.obstacle(first, to: .backfill, name: "first")
            #expect(failure.hasPrefix("StatementFailed: "))
            for _ in 0..<2 {
                let queued = try await database.obstacle(Self.adding("two"), to: .backfill, name: "second")
                #expect(
                    queued
                        == "Queued: shop/first works on the same table, on the way from Initial to Backfill; it has failed "
                        + "(\(failure)); this one begins when that one has reached it, or is undone: set phase: Initial there "
                        + "to let this one go first")
            }
            // What was in the way is not told of a run that is under way, nor of one that arrived.
            try await database.sql("DELETE FROM items WHERE id = 1")
            try await database.walk(first, to: .expand, name: "first")
            #expect(
                try await database.sql("SELECT count(obstacle) FROM sluice.migration WHERE id = 'shop/first'") == "0")
            try await database.walk(first, to: .initial, name: "first")
            try await database.walk(Self.adding("two"), to: .backfill, name: "second")
        }
    }

    @Test("say what the one before waits for")
    func waiting() async throws {
        try await EvolvingDatabase.with(Self.items) { database in
            var first = Self.adding("one")
            first.contract?.soak = SpecDuration(.seconds(3600))
            let soaking = try await database.obstacle(first, to: .contract, name: "first")
            #expect(soaking.hasPrefix("Soaking: "))
            let queued = try await database.obstacle(Self.adding("two"), to: .backfill, name: "second")
            #expect(queued.contains("from Backfill to Contract; it waits (\(soaking)); this one begins"))
        }
    }

    @Test("begin when they say so: once that one is contracted, or only when its archive is gone")
    func archive() async throws {
        try await EvolvingDatabase.with(Self.items) { database in
            let first = EvolvingDatabase.spec(
                [
                    .replaceColumns(
                        ReplaceColumns(
                            table: "items", from: ["a"], to: [NewColumn(name: "b", type: "text")],
                            forward: ["b": "upper(a)"], backward: ["a": "lower(b)"]))
                ], keepFor: .zero)
            try await database.walk(first, to: .backfill, name: "first")
            let reads = Self.adding("c", forward: "b || '!'")
            let reading = try await database.obstacle(reads, to: .backfill, name: "reads")
            #expect(reading.hasSuffix("this one begins when that one is contracted, or is undone"))
            try await database.walk(reads, to: .initial, name: "reads")

            let writes = EvolvingDatabase.spec([.dropColumn(DropColumn(table: "items", column: "b", backward: "'?'"))])
            let late = "when that one is contracted and its contract.keepFor is over, or is undone"
            #expect(try await database.obstacle(writes, to: .backfill, name: "writes").hasSuffix(late))
            try await database.walk(writes, to: .initial, name: "writes")
            try await database.walk(first, to: .contract, name: "first")
            try await database.walk(reads, to: .backfill, name: "reads")
            try await database.walk(reads, to: .initial, name: "reads")
            #expect(try await database.obstacle(writes, to: .backfill, name: "writes").hasSuffix(late))
            try await database.walk(first, to: .contract, name: "first")
            try await database.walk(writes, to: .backfill, name: "writes")
        }
    }

    @Test("go back in the opposite order, and where one cannot, those before it say that they cannot either")
    func wayBack() async throws {
        try await EvolvingDatabase.with(Self.items) { database in
            let names = ["one", "two", "three"]
            for name in names { try await database.walk(Self.adding(name), to: .contract, name: name) }
            let queued = try await database.obstacle(Self.adding("one"), to: .initial, name: "one")
            #expect(queued.hasPrefix("Queued: shop/three, then shop/two came after it on the same table"))

            try await database.walk(Self.adding("two"), to: .contract, name: "two")
            #expect(try await database.sql("SELECT purged FROM sluice.migration WHERE id = 'shop/two'") == "t")
            for target in [Phase.initial, .backfill] {
                let stuck = try await database.obstacle(Self.adding("one"), to: target, name: "one")
                #expect(
                    stuck.hasPrefix("NotReversible: shop/two came after it on the same table, and cannot be undone"))
                #expect(stuck.contains("this one stays at Contract") && stuck.contains("write a new Migration"))
            }
            try await database.walk(Self.adding("three"), to: .initial, name: "three")
            try await database.walk(Self.adding("one"), to: .contract, name: "one")
        }
    }
}
