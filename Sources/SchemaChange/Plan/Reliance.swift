/// What a plan counts on in the catalog, given the steps that are in force: what it found, and what it has made.
public struct Reliance: Hashable, Sendable {
    /// A column, constraint or index of a table.
    public struct Item: Hashable, Sendable {
        public enum Kind: String, Hashable, Sendable {
            case table, column, constraint, index
        }

        public var kind: Kind
        public var table: TableName
        /// Empty for a table.
        public var name: String
        /// Of a column, as the plan has it; nil where any will do.
        public var type: String?
        /// Whether it was there before the plan: going back needs it, and nothing brings it back.
        public var isFound = false
    }

    public private(set) var items: [Item] = []

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
        // The user's own statements make what the user sees to.
        for step in plan.steps where applied.contains(step.id) && !step.isUsers {
            switch step.action {
            case .statements(let apply, _):
                for statement in apply { take(statement, plan) }
            case .buildIndex(let index):
                items.append(Item(kind: .index, table: index.table, name: index.builtAs))
                for statement in index.finish { take(statement, plan) }
            case .dropIndex(let index):
                let name = index.name ?? index.builtAs
                items.removeAll { $0.kind == .index && $0.table.schema == index.table.schema && $0.name == name }
                for statement in index.unfinish { take(statement, plan) }
            case .concurrently, .clearIndex, .declaration, .backfill, .fillMove, .check, .verify:
                break
            }
        }
    }

    // MARK: Statements of ours

    private mutating func take(_ text: String, _ plan: Plan) {
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
                for position in items.indices
                where items[position].kind == .index && items[position].table.schema == index.schema
                    && items[position].name == index.name
                {
                    items[position].name = new
                }
            } else if reader.accept("create table"), let table = reader.table() {
                items.append(Item(kind: .table, table: table, name: ""))
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
            items.append(Item(kind: .column, table: table, name: name, type: column?.type))
        } else if clause.accept("drop column") {
            _ = clause.accept("if exists")
            if let name = clause.name() { items.removeAll { $0.isColumn(name, of: table) } }
        } else if clause.accept("rename column") {
            guard let old = clause.name(), clause.accept("to"), let new = clause.name() else { return }
            if let position = items.firstIndex(where: { $0.isColumn(old, of: table) }) {
                items[position].name = new
            } else {
                items.append(Item(kind: .column, table: table, name: new, isFound: true))
            }
        } else if clause.accept("rename constraint") {
            guard let old = clause.name(), clause.accept("to"), let new = clause.name() else { return }
            for position in items.indices where items[position].isConstraint(old, of: table) {
                items[position].name = new
            }
        } else if clause.accept("rename to") {
            guard let new = clause.name() else { return }
            for position in items.indices where items[position].table == table {
                items[position].table = TableName(schema: table.schema, name: new)
            }
        } else if clause.accept("add constraint") {
            guard let name = clause.name() else { return }
            var rest = clause
            while !rest.isAtEnd, !rest.accept("using index") { rest.skip() }
            // The index gets the constraint's name.
            if let index = rest.name() {
                items.removeAll { $0.kind == .index && $0.table == table && $0.name == index }
            }
            items.append(Item(kind: .constraint, table: table, name: name))
        } else if clause.accept("drop constraint") {
            _ = clause.accept("if exists")
            if let name = clause.name() { items.removeAll { $0.isConstraint(name, of: table) } }
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
    fileprivate mutating func table() -> TableName? {
        guard rest.count >= 3, rest.dropFirst().first?.isSign(".") == true, let schema = next?.identifier,
            let name = rest.dropFirst(2).first?.identifier
        else { return nil }
        for _ in 0..<3 { skip() }
        return TableName(schema: schema, name: name)
    }
}
