/// What a plan counts on in the catalog, given the steps that are in force: what it found, and what it has made.
public struct Reliance: Hashable, Sendable {
    /// A table or view, or a column, constraint or index of a table.
    public struct Item: Hashable, Sendable {
        public enum Kind: String, Hashable, Sendable {
            case table, view, column, constraint, index
        }

        public var kind: Kind
        public var table: TableName
        /// Empty for a table or view.
        public var name: String
        /// Of a column, as the plan has it; nil where any will do.
        public var type: String?
        /// Whether it was there before the plan: going back needs it, and nothing brings it back.
        public var isFound = false
        /// Whether it was there before, and only a later step names it: going back before that does not need it.
        public var isAwaited = false
        /// Of a view: the statements that make it, and those that make its schema where that is the plan's.
        public var creation: [String] = []
        public var schemaCreation: [String] = []
    }

    public internal(set) var items: [Item] = []
    /// What statements name that nothing has made.
    private var awaited: [Item] = []
    /// Whether the statements are those of another plan, which only call otherwise what is here, or take it away.
    private var isFollowing = false

    /// - Parameter applied: the ids of the steps that are in force.
    public init(_ plan: Plan, applied: Set<String>) {
        for mapping in plan.mappings {
            let new = Set(mapping.new.map(\.name)).subtracting(mapping.old.map(\.name))
            let found = mapping.old + mapping.named.filter { $0.interim == nil && !new.contains($0.name) } + mapping.key
            for column in found where !items.contains(where: { $0.isColumn(column.name, of: mapping.table) }) {
                items.append(
                    Item(kind: .column, table: mapping.table, name: column.name, type: column.type, isFound: true))
            }
        }
        for move in plan.columnMoves {
            let old = (move.columns + move.key).map(\.from) + move.walkKey
            let new = move.isToFound ? move.key.map(\.to) : []
            for (table, column) in old.map({ (move.table, $0) }) + new.map({ (move.to, $0) })
            where !items.contains(where: { $0.isColumn(column.name, of: table) }) {
                items.append(Item(kind: .column, table: table, name: column.name, type: column.type, isFound: true))
            }
        }
        // What the user's own statements make and take nobody can tell beforehand.
        if !plan.steps.contains(where: \.isUsers) {
            var whole = self
            for step in plan.steps { whole.take(step, plan) }
            items += whole.awaited
        }
        for step in plan.steps where applied.contains(step.id) { take(step, plan) }
    }

    /// After what a later plan has called otherwise, or taken away.
    ///
    /// - Parameters:
    ///   - applied: the ids of its steps that are in force.
    ///   - isPurged: whether its archive is gone.
    public mutating func follow(_ plan: Plan, applied: Set<String>, isPurged: Bool) {
        isFollowing = true
        defer { isFollowing = false }
        for step in plan.steps where applied.contains(step.id) { take(step, plan) }
        if isPurged { for step in plan.purge { take(step, plan) } }
    }

    mutating func add(_ item: Item) {
        if !isFollowing { items.append(item) }
    }

    /// Something that is named, and that no statement has made: it was there before.
    private mutating func expect(_ item: Item) {
        guard !isFollowing, !item.name.hasPrefix("sluice_"),
            !items.contains(where: { $0.kind == .table && $0.table == item.table })
        else { return }
        var item = item
        item.isAwaited = true
        awaited.append(item)
    }

    /// Calls an item otherwise. Of an index or constraint in the archive there is none.
    private mutating func rename(_ isOne: (Item) -> Bool, _ change: (inout Item) -> Void) -> Bool {
        let isKnown = items.contains(where: isOne)
        if !isFollowing {
            items.removeAll { isOne($0) && $0.isAwaited && [.index, .constraint].contains($0.kind) }
        }
        for position in items.indices where isOne(items[position]) {
            change(&items[position])
            guard !isFollowing, items[position].isAwaited else { continue }
            items[position].isAwaited = false
            items[position].isFound = true
        }
        return isKnown
    }

    /// The user's own statements make what the user sees to.
    private mutating func take(_ step: Step, _ plan: Plan) {
        guard !step.isUsers else { return }
        switch step.action {
        case .statements(let apply, _):
            take(apply, of: step, plan)
        case .buildIndex(let index):
            add(Item(kind: .index, table: index.table, name: index.builtAs))
            take(index.finish, of: step, plan)
        case .dropIndex(let index):
            let name = index.name ?? index.builtAs
            items.removeAll { $0.kind == .index && $0.table.schema == index.table.schema && $0.name == name }
            take(index.unfinish, of: step, plan)
        case .concurrently, .clearIndex, .declaration, .backfill, .fillMove, .check, .verify:
            break
        }
    }

    private mutating func take(_ statements: [String], of step: Step, _ plan: Plan) {
        takeViews(statements)
        for statement in statements { take(statement, of: step, plan) }
    }

    // MARK: Statements of ours

    private mutating func take(_ text: String, of step: Step, _ plan: Plan) {
        guard text.hasPrefix("ALTER ") || text.hasPrefix("CREATE TABLE ") || text.hasPrefix("DROP TABLE ") else {
            return
        }
        for tokens in SQLScript(text).statements {
            var reader = SQLReader(tokens)
            if reader.accept("alter table") {
                _ = reader.accept("if exists")
                guard let table = reader.table() else { continue }
                for var clause in reader.clauses { take(&clause, of: table, plan) }
            } else if reader.accept("alter index") {
                guard let index = reader.table(), reader.accept("rename to"), let new = reader.name() else { continue }
                let isKnown = rename({
                    $0.kind == .index && $0.table.schema == index.schema && $0.name == index.name
                }) { $0.name = new }
                if !isKnown, let table = step.table, table.schema == index.schema {
                    expect(Item(kind: .index, table: table, name: index.name))
                }
            } else if reader.accept("create table"), let table = reader.table() {
                add(Item(kind: .table, table: table, name: ""))
            } else if reader.accept("drop table") {
                _ = reader.accept("if exists")
                if let table = reader.table() { items.removeAll { $0.table == table } }
            }
        }
    }

    private mutating func take(_ clause: inout SQLReader, of table: TableName, _ plan: Plan) {
        if clause.accept("add column") {
            guard let name = clause.name() else { return }
            let new =
                plan.mappings.filter { $0.table == table }.flatMap(\.new)
                + plan.columnMoves.filter { $0.to == table }.flatMap { $0.columns.map(\.to) }
            let column = new.first { ($0.interim ?? $0.name) == name }
            add(Item(kind: .column, table: table, name: name, type: column?.type))
        } else if clause.accept("drop column") {
            _ = clause.accept("if exists")
            if let name = clause.name() { items.removeAll { $0.isColumn(name, of: table) } }
        } else if clause.accept("rename column") {
            guard let old = clause.name(), clause.accept("to"), let new = clause.name() else { return }
            if !rename({ $0.isColumn(old, of: table) }, { $0.name = new }) {
                expect(Item(kind: .column, table: table, name: old))
                add(Item(kind: .column, table: table, name: new, isFound: true))
            }
        } else if clause.accept("rename constraint") {
            guard let old = clause.name(), clause.accept("to"), let new = clause.name() else { return }
            if !rename({ $0.isConstraint(old, of: table) }, { $0.name = new }) {
                expect(Item(kind: .constraint, table: table, name: old))
            }
        } else if clause.accept("rename to") {
            guard let new = clause.name() else { return }
            let isKnown = items.contains { $0.kind == .table && $0.table == table }
            _ = rename({ $0.kind != .view && $0.table == table }) {
                $0.table = TableName(schema: table.schema, name: new)
            }
            if !isKnown { expect(Item(kind: .table, table: table, name: "")) }
        } else if clause.accept("add constraint") {
            guard let name = clause.name() else { return }
            var rest = clause
            while !rest.isAtEnd, !rest.accept("using index") { rest.skip() }
            // The index gets the constraint's name.
            if let index = rest.name() {
                items.removeAll { $0.kind == .index && $0.table == table && $0.name == index }
            }
            add(Item(kind: .constraint, table: table, name: name))
        } else if clause.accept("drop constraint") {
            let isSure = !clause.accept("if exists")
            guard let name = clause.name() else { return }
            let isKnown = items.contains { $0.isConstraint(name, of: table) }
            items.removeAll { $0.isConstraint(name, of: table) }
            if isSure, !isKnown { expect(Item(kind: .constraint, table: table, name: name)) }
        }
    }
}

extension Reliance.Item {
    fileprivate func isColumn(_ name: String, of table: TableName) -> Bool {
        kind == .column && self.name == name && self.table == table
    }

    fileprivate func isConstraint(_ name: String, of table: TableName) -> Bool {
        kind == .constraint && self.name == name && self.table == table
    }
}

extension Step {
    /// Whether its statements are the user's own: those of the kind `sql`.
    fileprivate var isUsers: Bool {
        if case .statements = action { lock == nil && id.hasSuffix("/statements") } else { false }
    }
}

extension SQLReader {
    /// A table as ours are always written, with its schema and in quotes.
    mutating func table() -> TableName? {
        guard rest.count >= 3, rest.dropFirst().first?.isSign(".") == true, let schema = next?.identifier,
            let name = rest.dropFirst(2).first?.identifier
        else { return nil }
        for _ in 0..<3 { skip() }
        return TableName(schema: schema, name: name)
    }
}
