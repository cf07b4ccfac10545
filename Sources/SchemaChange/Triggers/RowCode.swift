/// PL/pgSQL for the expressions of a ``Mapping``, over the row that a trigger is given.
struct RowCode {
    let mapping: Mapping
    /// Whether the old columns stand in the table under their names in the archive.
    var archived = false

    private func name(_ column: Column) -> String {
        archived && mapping.old.contains(column) ? mapping.archived(column).quotedIdentifier : column.quoted
    }

    /// A trigger function whose variables are named like the columns that the expressions name.
    func function(_ name: String, hasVariables: Bool = true, body: String) -> String {
        let variables = hasVariables ? mapping.named : []
        return TriggerFunction(name: name, schema: mapping.table.schema, variables: variables, body: body).create
    }

    /// Fills the variables from `record`, `NEW` or `OLD`.
    func read(from record: String) -> String {
        mapping.named.map { "\($0.quoted) := \(record).\(name($0));" }.joined(separator: "\n")
    }

    /// Old side from new.
    func deriveOld() -> String {
        guard !mapping.old.isEmpty else { return "NULL;" }
        return ([read(from: "NEW")] + mapping.old.map { "NEW.\(name($0)) := (\(mapping.backward[$0.name]!));" })
            .joined(separator: "\n")
    }

    /// New side from old.
    func deriveNew() -> String {
        ([read(from: "NEW")] + mapping.new.map { "NEW.\(name($0)) := (\(mapping.forward[$0.name]!));" })
            .joined(separator: "\n")
    }

    /// The new columns that the statement did not name, from the old side as it was: after a statement has named others.
    func fillUnnamed(note: (Int) -> String) -> String {
        let fill = mapping.new.enumerated().map { index, column in
            """
            IF strpos(NEW.\(mapping.marker.quotedIdentifier), '\(note(index))') = 0 THEN
                NEW.\(column.quoted) := (\(mapping.forward[column.name]!));
            END IF;
            """
        }
        return ([read(from: "OLD")] + fill).joined(separator: "\n")
    }

    /// Whether `NEW` breaks the invariant of its own side; read the variables first.
    var violation: String {
        "(CASE NEW.\(mapping.marker.quotedIdentifier) WHEN 'o' THEN \(differs(mapping.new, mapping.forward)) "
            + "ELSE \(differs(mapping.old, mapping.backward)) END)"
    }

    /// Whether either side of `NEW` follows from the other; read the variables first.
    var agreement: String {
        "NOT (\(differs(mapping.old, mapping.backward)) AND \(differs(mapping.new, mapping.forward)))"
    }

    private func differs(_ columns: [Column], _ expressions: [String: String]) -> String {
        guard !columns.isEmpty else { return "false" }
        let stored = columns.map { "NEW.\(name($0))" }.joined(separator: ", ")
        let derived = columns.map { "(\(expressions[$0.name]!))::\($0.type)" }.joined(separator: ", ")
        return "record_image_ne(ROW(\(stored)), ROW(\(derived)))"
    }
}
