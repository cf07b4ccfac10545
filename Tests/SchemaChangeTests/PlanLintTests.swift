import Testing

@testable import SchemaChange

/// What follows from a plan without asking anybody: lint with facts of the database, the work of steps, what is counted on.
@Suite("what a plan means")
struct PlanLintTests {
    private static let name = TableName(schema: "public", name: "customers")

    private static func codes(
        _ facts: TableFacts, _ database: DatabaseFacts = .init(), hasViews: Bool = false,
        change: Change = Planning.cents
    ) throws -> [String: Finding.Severity] {
        let plan = try Planning.plan([change])
        let findings = LiveLint(
            plan, migration: "shop/a", hasViews: hasViews, tables: [facts], database: database
        ).findings
        return Dictionary(findings.map { ($0.code, $0.severity) }, uniquingKeysWith: { first, _ in first })
    }

    @Test("each fact of a table has its finding, and only that")
    func facts() throws {
        #expect(try Self.codes(TableFacts(name: Self.name, attributes: 5)).isEmpty)
        // The new column and the marker.
        #expect(try Self.codes(TableFacts(name: Self.name, attributes: 1498)) == [:])
        #expect(try Self.codes(TableFacts(name: Self.name, attributes: 1499)) == ["AttributeNumbers": .warning])
        #expect(try Self.codes(TableFacts(name: Self.name, attributes: 1598)) == ["AttributeNumbers": .warning])
        #expect(try Self.codes(TableFacts(name: Self.name, attributes: 1599)) == ["AttributeNumbers": .error])
        #expect(try Self.codes(TableFacts(name: Self.name, hasRowSecurity: true)) == ["RowSecurity": .warning])
        #expect(try Self.codes(TableFacts(name: Self.name, publications: ["p"])) == ["LogicalReplication": .warning])
        let slot = DatabaseFacts(logicalSlots: ["debezium (pgoutput)"])
        #expect(try Self.codes(TableFacts(name: Self.name), slot) == ["LogicalReplication": .warning])
        #expect(
            try Self.codes(TableFacts(name: Self.name, positional: ["view v"])) == ["PositionalConsumers": .warning])
        #expect(try Self.codes(TableFacts(name: Self.name), DatabaseFacts(isPooled: true)) == ["Pooler": .warning])
        #expect(try Self.codes(TableFacts(name: Self.name, columnReaders: ["app"])) == [:])
        #expect(
            try Self.codes(TableFacts(name: Self.name, columnReaders: ["app"]), hasViews: true)
                == ["ColumnGrants": .warning])
        #expect(try Self.codes(TableFacts(name: Self.name, unvalidated: ["c"])) == ["UncheckedRows": .warning])
        // What adds no column surprises nobody who reads columns.
        let inPlace = Change.alterColumn(AlterColumn(table: "customers", column: "note", dropDefault: true))
        #expect(
            try Self.codes(TableFacts(name: Self.name, publications: ["p"], positional: ["view v"]), change: inPlace)
                == [:])
    }

    @Test("an explicit NULL cannot be told where the old side has a default and every new column may be NULL")
    func explicitNull() throws {
        let facts = TableFacts(name: Self.name, defaults: ["total"])
        #expect(try Self.codes(facts) == ["ExplicitNull": .warning])
        #expect(try Self.codes(facts, hasViews: true) == [:])
        #expect(try Self.codes(TableFacts(name: Self.name, defaults: ["note"])) == [:])
        let required = Change.alterColumn(
            AlterColumn(
                table: "customers", column: "total", to: NewColumn(name: "cents", type: "bigint", nullable: false),
                forward: "total::bigint * 100", backward: "(cents / 100)::integer"))
        #expect(try Self.codes(facts, change: required) == [:])
    }

    @Test(
        "the work of statements",
        arguments: [
            ("ALTER TABLE t ADD COLUMN a int", .catalog), ("ALTER TABLE t ADD a serial", .rewrites),
            ("ALTER TABLE t VALIDATE CONSTRAINT c", .scans), ("ANALYZE t", .samples), ("CLUSTER t", .rewrites),
            ("ALTER TABLE t ADD CHECK (a > 0)", .scansLocked), ("CREATE INDEX ON t (a)", .scansLocked),
            ("UPDATE t SET a = 1", .writesRows),
        ] as [(String, Step.Work)]
    )
    func work(statement: String, work: Step.Work) {
        let step = Step(
            id: "x", phase: .expand, title: "", action: .statements(apply: ["SELECT 1", statement], revert: nil))
        #expect(step.work == work)
    }

    @Test("no step of a kind of change rewrites or scans under a lock")
    func ownSteps() throws {
        let changes = [Planning.split, Planning.cents, Planning.add("x", default: "'y'", nullable: false)]
        for step in try Planning.plan(changes).steps {
            #expect(![.rewrites, .scansLocked].contains(step.work), "\(step.title)")
        }
    }

    @Test("what a plan counts on follows its steps, forwards and backwards")
    func reliance() throws {
        let plan = try Planning.plan([Planning.split])
        func columns(upTo phase: Phase) -> [String] {
            let applied = Set(plan.steps.filter { $0.phase <= phase }.map(\.id))
            return Reliance(plan, applied: applied).items.filter { $0.kind == .column }
                .map { ($0.isFound ? "" : "+") + $0.name.replacing(plan.mappings[0].token, with: "T") }.sorted()
        }
        #expect(columns(upTo: .initial) == ["full_name", "id"])
        #expect(columns(upTo: .expand) == ["+first", "+last", "full_name", "id"])
        #expect(columns(upTo: .dualWrite) == ["+first", "+last", "+sluice_side_T", "full_name", "id"])
        #expect(columns(upTo: .contract) == ["+first", "+last", "+sluice_side_T", "id", "sluice_archive_T_1"])
        let types = Reliance(plan, applied: Set(plan.steps.map(\.id))).items.filter { $0.name == "first" }.map(\.type)
        #expect(types == ["text"])
    }
}
