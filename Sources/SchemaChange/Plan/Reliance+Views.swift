/// The views that a plan makes: a version of the application reads and writes through them.
extension Reliance {
    /// What is counted on when nobody needs the views any more.
    public mutating func forgetViews() { items.removeAll { $0.kind == .view } }

    /// Takes in what the statements of one step say of views: whatever follows the making of one is about it, and what goes
    /// before the first about its schema.
    mutating func takeViews(_ statements: [String]) {
        var schemaCreation: [String] = []
        var view: Item?
        for statement in statements {
            var reader = SQLReader(SQLScript(statement).statements.first ?? [])
            if reader.accept("drop view") {
                _ = reader.accept("if exists")
                if let name = reader.table() { items.removeAll { $0.kind == .view && $0.table == name } }
            } else if reader.accept("create schema") {
                schemaCreation = [statement]
            } else if reader.accept("create view"), let name = reader.table() {
                if let view { add(view) }
                view = Item(
                    kind: .view, table: name, name: "", creation: [statement], schemaCreation: schemaCreation)
            } else if ["alter view", "grant", "comment on"].contains(where: reader.isAt) {
                if view != nil {
                    view?.creation.append(statement)
                } else if !schemaCreation.isEmpty {
                    schemaCreation.append(statement)
                }
            } else if let made = view {
                add(made)
                view = nil
            }
        }
        if let view { add(view) }
    }
}
