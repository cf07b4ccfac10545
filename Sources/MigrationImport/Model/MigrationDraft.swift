import SchemaChange

/// A Migration in the making: the changes of one file, on top of a schema as the files before it have left it.
///
/// Whatever the format of the file, its operations end up here, and here is decided which change is the safe one. What no
/// change can say is refused, for the file to be mended or split.
struct MigrationDraft: Sendable {
    private(set) var model: SchemaModel
    private(set) var changes: [Change] = []
    /// What differs from the file, for people.
    private(set) var notes: [String] = []

    /// What the changes keep in the archive.
    private(set) var archives = Archives()

    /// Each column has one change that may touch it.
    private var claimed: Set<String> = []
    /// The columns, `table.column`, that are changed in place, since another file of the chain takes their place as well.
    let inPlace: Set<String>

    init(_ model: SchemaModel, inPlace: Set<String> = []) {
        self.model = model
        self.inPlace = inPlace
    }

    mutating func note(_ text: String) {
        if !notes.contains(text) { notes.append(text) }
    }

    mutating func add(_ change: Change, _ update: (inout SchemaModel) -> Void = { _ in }) {
        changes.append(change)
        update(&model)
    }

    /// Notes that a column's old side, or its marker, is kept, and which columns its triggers name.
    mutating func keepsArchive(
        of column: String, in table: String, naming expressions: [SQLExpression?], also others: [String] = [],
        couldBeInPlace: Bool = false
    ) {
        let names = model.table(table)?.columns.map(\.name) ?? []
        let mentioned = expressions.compactMap { $0?.mentions(of: names) }.joined()
        archives.columns.append(
            .init(
                column: "\(table).\(column)", touches: Set(([column] + others + mentioned).map { "\(table).\($0)" }),
                couldBeInPlace: couldBeInPlace))
    }

    mutating func takesWhole(_ table: String, isDropped: Bool) {
        archives.wholeTables.insert(table)
        if isDropped { archives.droppedTables.insert(table) }
    }

    /// What the changes keep, with all tables that they touch.
    var kept: Archives {
        var kept = archives
        kept.tables = Set(changes.flatMap(\.tables))
        for case .createTable(let new) in changes { kept.newTables.insert(new.table) }
        return kept
    }

    mutating func replace(_ index: Int, by change: Change) { changes[index] = change }

    mutating func updateModel(_ update: (inout SchemaModel) -> Void) { update(&model) }

    mutating func replaceModel(_ model: SchemaModel) { self.model = model }

    mutating func claim(_ column: String, of table: String) throws(Refusal) {
        try requireKnown(column, of: table)
        guard claimed.insert("\(table).\(column)").inserted else {
            throw Refusal("column \"\(column)\" of \"\(table)\" is changed twice in this file; \(Self.split)")
        }
    }

    /// A name that this file brings.
    mutating func claimNew(_ column: String, of table: String) { claimed.insert("\(table).\(column)") }

    static let split = "put what comes later into a file of its own"

    func requireKnown(_ column: String, of table: String) throws(Refusal) {
        guard let known = model.table(table), known.column(column) == nil else { return }
        let names = known.columns.map(\.name).joined(separator: ", ")
        throw Refusal("\"\(table)\" has no column \"\(column)\"; it has \(names)")
    }

    // MARK: Tables of this same file

    /// The change that makes the table, if it is one of this file: other operations on the table become part of it.
    func creation(of table: String) -> CreateTable? {
        for case .createTable(let new) in changes where new.table == table { return new }
        return nil
    }

    /// Makes an operation on a table of this file part of the table. False if it is no such table.
    mutating func fold(into table: String, _ body: (inout CreateTable) throws(Refusal) -> Void) throws(Refusal) -> Bool
    {
        for (index, change) in changes.enumerated() {
            guard case .createTable(var new) = change, new.table == table else { continue }
            try body(&new)
            changes[index] = .createTable(new)
            return true
        }
        return false
    }

    func refuseIfNew(_ table: String) throws(Refusal) {
        if creation(of: table) != nil {
            throw Refusal(
                "this file makes \"\(table)\" and changes it again; \(Self.split), or write it as it is to be")
        }
    }

    /// For what takes a table as a whole.
    func refuseIfTouched(_ table: String) throws(Refusal) {
        try refuseIfNew(table)
        if changes.contains(where: { $0.tables.contains(table) }) {
            throw Refusal("this file changes \"\(table)\" in another way as well; \(Self.split)")
        }
    }

    // MARK: In place

    /// Merges what is set in place into a change that does so for the same column, if there is one.
    mutating func addInPlace(_ change: AlterColumn) throws(Refusal) {
        for (index, other) in changes.enumerated() {
            guard case .alterColumn(var present) = other, present.table == change.table,
                present.column == change.column, present.isInPlace
            else { continue }
            if change.nullable != nil,
                present.nullable != nil
                    || (change.default != nil || change.dropDefault != nil)
                        && (present.default != nil || present.dropDefault != nil)
            {
                break
            }
            present.nullable = present.nullable ?? change.nullable
            present.default = present.default ?? change.default
            present.dropDefault = present.dropDefault ?? change.dropDefault
            changes[index] = .alterColumn(present)
            return
        }
        try claim(change.column, of: change.table)
        add(.alterColumn(change))
    }
}

extension AlterColumn {
    /// Whether it sets only what is set in place.
    fileprivate var isInPlace: Bool {
        to == nil && type == nil && forward == nil && forwardBy == nil && backward == nil
    }
}
