import Testing

@testable import SchemaChange

@Suite("plans")
struct PlanTests {
    @Test(
        "each kind has its steps, in order",
        arguments: [
            (Planning.add("c"), ["expand/0/add-column", "backfill/verify"]),
            (
                Planning.add("c", forward: "note", default: "''"),
                [
                    "expand/0/add-columns", "dualwrite/0", "backfill/0/fill", "backfill/0/analyze", "backfill/verify",
                    "contract/0/archive", "contract/0/default",
                ]
            ),
            (
                Planning.remoteColumn(),
                [
                    "expand/0/add-columns", "dualwrite/0", "backfill/0/fill", "backfill/0/unfilled",
                    "backfill/0/analyze", "backfill/verify", "contract/0/archive", "contract/0/language-not-null-add",
                    "contract/0/language-not-null-validate", "contract/0/language-not-null-set",
                ]
            ),
            (
                Planning.cents,
                [
                    "expand/0/add-columns", "dualwrite/0", "backfill/0/fill", "backfill/0/analyze", "backfill/verify",
                    "contract/0/archive",
                ]
            ),
            (
                .alterColumn(AlterColumn(table: "customers", column: "full_name", nullable: true)),
                [
                    "expand/0/un-full_name-not-null-set", "expand/0/un-full_name-not-null-validate",
                    "expand/0/un-full_name-not-null-add", "backfill/verify",
                ]
            ),
            (
                .alterColumn(AlterColumn(table: "customers", column: "note", nullable: false, default: "'x'")),
                [
                    "expand/0/default", "backfill/0/no-null", "backfill/verify", "contract/0/note-not-null-add",
                    "contract/0/note-not-null-validate", "contract/0/note-not-null-set",
                ]
            ),
            (.alterColumn(AlterColumn(table: "customers", column: "note", nullable: true)), ["backfill/verify"]),
            (Planning.drop("note"), ["backfill/verify", "contract/0/archive"]),
            (Planning.drop("full_name", backward: "note"), ["dualwrite/0", "backfill/verify", "contract/0/archive"]),
            (
                .sql(SQLChange(expand: ["SELECT 1"], contract: ["SELECT 2"])),
                ["expand/0/statements", "backfill/verify", "contract/0/statements"]
            ),
        ] as [(Change, [String])]
    )
    func order(change: Change, ids: [String]) throws {
        let plan = try Planning.plan([change])
        #expect(plan.steps.map(\.id) == ids)
        #expect(plan.steps.map(\.phase) == plan.steps.map(\.phase).sorted())
    }

    @Test("where the application writes both sides, what notes it comes with the columns, and the wait before the fill")
    func applicationWrites() throws {
        let plan = try Planning.plan([Planning.cents, Planning.add("c", forward: "note")], writer: .application)
        #expect(
            plan.steps.map(\.id) == [
                "expand/0/add-columns", "expand/1/add-columns", "dualwrite/declaration", "dualwrite/0",
                "backfill/0/fill",
                "backfill/0/disagreeing", "backfill/0/analyze", "backfill/1/fill", "backfill/1/analyze",
                "backfill/verify", "contract/0/archive", "contract/1/archive",
            ])
        #expect(plan.steps(of: .dualWrite)[0].action == .declaration)
        #expect(plan.mappings.map(\.writer) == [.application, nil])
        guard case .statements(let apply, _) = plan.steps[0].action else { throw Unexpected() }
        #expect(apply[0].contains("ADD COLUMN \"cents\"") && apply[1].contains("ADD COLUMN \"sluice_side_"))
        #expect(apply.count > 4 && apply.last?.contains("ENABLE ALWAYS TRIGGER") == true)
    }

    @Test("a NOT NULL column without a default becomes nullable at Expand before it is dropped")
    func dropNotNull() throws {
        let plan = try Planning.plan([Planning.drop("full_name")])
        #expect(plan.steps(of: .expand).map(\.id).first == "expand/0/un-full_name-not-null-set")
        #expect(plan.purge.map(\.id) == ["purge/0"])
    }

    @Test("a constraint on a new column comes after the proof, and its markers go with the archive")
    func notNullAfterProof() throws {
        let plan = try Planning.plan([Planning.split])
        let token = try #require(plan.mappings.first).token
        let backfill = plan.steps(of: .backfill).map(\.id)
        #expect(backfill.prefix(3) == ["backfill/0/fill", "backfill/0/analyze", "backfill/verify"])
        #expect(
            backfill.dropFirst(3).elementsEqual(
                ["add", "validate", "set"].map { "backfill/\(token)/first/first-not-null-\($0)" }
            )
        )
        guard case .statements(let purge, nil) = plan.purge[0].action else { throw Unexpected() }
        #expect(purge.contains { $0.contains("DROP COLUMN IF EXISTS \"sluice_archive_\(token)_1\"") })
        #expect(purge.contains { $0.contains("DROP COLUMN IF EXISTS \"sluice_side_\(token)\"") })
    }

    private struct Unexpected: Error {}

    @Test("all triggers of a table are created by one step, with the markers, and those of two tables by two")
    func triggersOfATable() throws {
        let other = Planning.table("orders")
        var second = Planning.cents
        if case .alterColumn(var change) = second {
            change.table = "orders"
            second = .alterColumn(change)
        }
        let plan = try Planning.plan([Planning.split, Planning.cents, second], tables: [Planning.table(), other])
        #expect(plan.steps(of: .dualWrite).map(\.id) == ["dualwrite/0", "dualwrite/1"])
        #expect(plan.tables.map(\.name) == ["customers", "orders"])
        guard case .statements(let apply, .some(let revert)) = plan.steps(of: .dualWrite)[0].action else {
            throw Unexpected()
        }
        #expect(apply.filter { $0.contains("ADD COLUMN \"sluice_side_") }.count == 2)
        #expect(revert.filter { $0.contains("DROP COLUMN IF EXISTS \"sluice_side_") }.count == 2)
        // Three noted columns of the split, two of the other, and three more each.
        #expect(apply.filter { $0.hasPrefix("CREATE TRIGGER") }.count == 11)
        #expect(apply.reduce(0) { $0 + $1.ranges(of: "ENABLE ALWAYS TRIGGER").count } == 11)
        #expect(revert.filter { $0.hasPrefix("DROP TRIGGER") }.count == 11)
    }

    @Test("two changes of one table cannot touch the same column")
    func claims() throws {
        let twice = try #require(Planning.refusal([Planning.cents, Planning.drop("total")]))
        #expect(twice.path == "changes[1].dropColumn")
        #expect(twice.message.contains("already changed by changes[0].alterColumn"))
        #expect(Planning.refusal([Planning.add("c"), Planning.add("c", forward: "note")])?.code == .invalidChange)
        #expect(Planning.refusal([Planning.split, Planning.cents]) == nil)
    }

    @Test(
        "an expression cannot name a column that another change takes away, nor its own",
        arguments: [
            [Planning.split, Planning.add("c", forward: "upper(full_name)")],
            [Planning.add("c", forward: "upper(full_name)"), Planning.split],
            [Planning.drop("note"), Planning.add("c", forward: "note")],
            [Planning.drop("note", backward: "upper(full_name)"), Planning.split],
            [Planning.drop("note", backward: "note || 'x'")],
        ]
    )
    func columnsThatLeave(changes: [Change]) throws {
        let refusal = try #require(Planning.refusal(changes))
        #expect(refusal.code == .invalidExpression)
        #expect(refusal.message.contains("takes away"))
    }

    @Test("a key, and what other tables refer to, cannot be replaced or dropped")
    func keys() {
        let keyed = Planning.table(key: ["id", "full_name"])
        #expect(Planning.refusal([Planning.split], tables: [keyed])?.code == .unsupportedTable)
        #expect(Planning.refusal([Planning.drop("full_name")], tables: [keyed])?.code == .unsupportedTable)
        #expect(
            Planning.refusal([Planning.split], tables: [Planning.table(referenced: ["full_name"])])?.code
                == .unsupportedTable)
    }

    @Test("a table without a usable key takes no backfill, but other changes")
    func noKey() {
        let table = Planning.table(key: [])
        #expect(Planning.refusal([Planning.split], tables: [table])?.code == .noUsableKey)
        #expect(Planning.refusal([Planning.add("c")], tables: [table]) == nil)
        #expect(
            Planning.refusal(
                [.alterColumn(AlterColumn(table: "customers", column: "note", nullable: false))],
                tables: [table]
            ) == nil
        )
    }

    @Test("an expression cannot name a generated column, which has no value when a trigger runs")
    func generated() {
        #expect(Planning.refusal([Planning.add("c", forward: "doubled")])?.code == .invalidExpression)
        #expect(Planning.refusal([Planning.drop("note", backward: "doubled")])?.code == .invalidExpression)
    }

    @Test("a column cannot be called like a variable of a trigger", arguments: ["new", "old", "tg_op", "tg_argv"])
    func reservedNames(name: String) throws {
        let refusal = try #require(Planning.refusal([Planning.add(name, forward: "note")]))
        #expect(refusal.message.contains("\"\(name)\""))
        #expect(Planning.refusal([Planning.add(name)]) == nil)
    }

    @Test("a new column's name is free, and no longer than a name can be")
    func columnNames() {
        #expect(Planning.refusal([Planning.add("note")])?.code == .columnExists)
        #expect(Planning.refusal([Planning.add(String(repeating: "é", count: 31))]) == nil)
        #expect(Planning.refusal([Planning.add(String(repeating: "é", count: 32))])?.code == .invalidChange)
    }

    @Test("what does not exist is refused with what does")
    func unknown() throws {
        let column = try #require(Planning.refusal([Planning.drop("nothing")]))
        #expect(column.code == .unknownColumn && column.message.contains("full_name"))
        #expect(Planning.refusal([Planning.drop("note")], tables: [])?.code == .unknownTable)
    }

    @Test(
        "a table whose shape cannot be changed is refused",
        arguments: [
            ("p", true, false), ("v", false, false), ("f", false, false), ("r", true, false), ("r", false, true),
        ]
    )
    func unsupported(kind: String, isPartition: Bool, rowSecurity: Bool) {
        var table = Planning.table()
        table.relationKind = kind
        table.isPartition = isPartition
        table.rowSecurityApplies = rowSecurity
        let code: PlanError.Code = rowSecurity ? .rowSecurity : .unsupportedTable
        #expect(Planning.refusal([Planning.split], tables: [table])?.code == code)
    }

    @Test(
        "a trigger of others must fire between the first and the last of ours",
        arguments: [
            ("audit", true), ("Z", true), ("!sluice_3", false), ("!sluice_4", true), ("!", false), ("!a", false),
            ("\"q", true),
            ("~a", true), ("~sluice", false), ("~z", false), ("ä", false), ("}", true),
        ]
    )
    func surrounds(name: String, isBetween: Bool) {
        #expect(DualWriteTriggers.surrounds(name) == isBetween)
        let refusal = Planning.refusal([Planning.split], tables: [Planning.table(triggers: [name])])
        #expect((refusal == nil) == isBetween)
    }

    @Test("the same changes give the same plan and ids; another migration has other objects in the database")
    func stable() throws {
        let changes = [Planning.split, Planning.cents]
        let first = try Planning.plan(changes)
        #expect(try Planning.plan(changes) == first)
        let other = try Planning.plan(changes, migration: "shop/b")
        #expect(Set(first.mappings.map(\.token)).isDisjoint(with: other.mappings.map(\.token)))
        #expect(Set(first.steps.map(\.id)).count == first.steps.count)
    }

    @Test("the hash is of changes, who writes both sides, schema and database only")
    func hash() {
        func hash(_ changes: [Change], _ schema: String = "public", _ database: String = "1/shop") -> String {
            Plan.hash(changes: changes, schema: schema, database: database)
        }
        let first = hash([Planning.split])
        #expect(first == hash([Planning.split]) && first.hasPrefix("sha256:") && first.count == 71)
        #expect(
            Set([
                first, hash([Planning.cents]), hash([Planning.split], "x"), hash([Planning.split], "public", "2/shop"),
            ]).count == 4)
        let byApplication = Plan.hash(
            changes: [Planning.split], writer: .application, schema: "public", database: "1/shop")
        #expect(byApplication != first)
        #expect(hash([Planning.split, Planning.cents]) != hash([Planning.cents, Planning.split]))
    }

    @Test("NOT NULL is a constraint, its validation and the flag, and is undone in the opposite order")
    func notNull() throws {
        let steps = NotNull(table: TableName(schema: "s", name: "t"), column: "c", token: "01234567").steps
        #expect(steps.map(\.lock) == ["ACCESS EXCLUSIVE", "SHARE UPDATE EXCLUSIVE", "ACCESS EXCLUSIVE"])
        #expect(steps[0].apply[0].hasSuffix("CHECK (\"c\" IS NOT NULL) NOT VALID"))
        #expect(steps[1].apply[0].contains("VALIDATE CONSTRAINT") && steps[1].revert.isEmpty)
        #expect(steps[2].apply[0].hasSuffix("SET NOT NULL") && steps[2].revert[0].hasSuffix("DROP NOT NULL"))

        let change = Change.alterColumn(AlterColumn(table: "customers", column: "full_name", nullable: true))
        let inverse = try Planning.plan([change]).steps(of: .expand).map { step in
            guard case .statements(let apply, .some(let revert)) = step.action else { throw Unexpected() }
            return (apply, revert)
        }
        // What they do forwards: "undoing" is said where they are undone.
        #expect(
            try Planning.plan([change]).steps(of: .expand).map(\.title) == [
                "allowing NULL in full_name of public.customers",
                "validating that full_name of public.customers holds no NULL",
                "no longer refusing NULL in full_name of public.customers",
            ])
        let forwards = inverse.flatMap(\.0)
        let back = inverse.reversed().flatMap(\.1)
        #expect(forwards.map { $0.contains("DROP NOT NULL") } == [true, false])
        #expect(back.count == 4)
        #expect(back[0].contains("NOT VALID") && back[1].contains("VALIDATE") && back[2].contains("SET NOT NULL"))
    }

    @Test(
        "undoing a default restores the one that was",
        arguments: [("note", "SET DEFAULT ('none'::text)"), ("total", "DROP DEFAULT")])
    func defaults(column: String, undoing: String) throws {
        let plan = try Planning.plan([.alterColumn(AlterColumn(table: "customers", column: column, default: "1"))])
        guard case .statements(let apply, .some(let revert)) = plan.steps[0].action else { throw Unexpected() }
        #expect(apply[0].hasSuffix("SET DEFAULT (1)") && revert[0].hasSuffix(undoing))
    }
}
