/// PL/pgSQL for the expressions of a ``Mapping``, over the row that a trigger is given.
///
/// Expressions are evaluated over variables named like the columns. Where an old and a new column share a name, `forward`
/// means the old one and `backward` the new: there the variable is one of a block around the expressions of one direction.
struct RowCode {
    let mapping: Mapping
    /// Whether Contract is over: the old columns stand in the table under their names in the archive, the new ones under
    /// their own.
    var archived = false

    /// A trigger function whose variables are named like the columns that the expressions name.
    func function(_ name: String, hasVariables: Bool = true, body: String) -> String {
        let variables = hasVariables ? plain : []
        return TriggerFunction(name: name, schema: mapping.table.schema, variables: variables, body: body).create
    }

    /// Fills the variables from `record`, `NEW` or `OLD`.
    func read(from record: String) -> String {
        plain.map { "\($0.quoted) := \(record).\(stored($0));" }.joined(separator: "\n")
    }

    /// Old side from new.
    func deriveOld() -> String {
        guard !mapping.old.isEmpty else { return "NULL;" }
        let assignments = mapping.old.map { column in
            let expression = (archived ? mapping.archivedBackward?[column.name] : nil) ?? mapping.backward[column.name]!
            return "NEW.\(stored(column)) := (\(expression));"
        }
        return evaluating(.backward, over: "NEW", assignments)
    }

    /// New side from old.
    func deriveNew() -> String {
        let assignments = mapping.new.map { "NEW.\(stored($0)) := (\(mapping.forward[$0.name]!));" }
        return evaluating(.forward, over: "NEW", assignments)
    }

    /// The new columns that the statement did not name, from the old side as it was: after a statement has named others.
    func fillUnnamed(note: (Int) -> String) -> String {
        let fill = mapping.new.enumerated().map { index, column in
            """
            IF strpos(NEW.\(mapping.marker.quotedIdentifier), '\(note(index))') = 0 THEN
                NEW.\(stored(column)) := (\(mapping.forward[column.name]!));
            END IF;
            """
        }
        return evaluating(.forward, over: "OLD", fill)
    }

    /// Whether `NEW` breaks the invariant of its own side; read the variables first.
    var violation: String {
        "(CASE NEW.\(mapping.marker.quotedIdentifier) WHEN 'o' THEN \(differs(mapping.new, .forward)) "
            + "ELSE \(differs(mapping.old, .backward)) END)"
    }

    /// After `body` has derived a side though nobody wrote the other, and said so by `sluice_wrote_none`: takes that back where
    /// the row was not as its side says already. Somebody wrote it past the triggers, and what they wrote is not to be lost in
    /// silence.
    ///
    /// Whether the row was one is computed only where something else was derived than what it had.
    func restoringUneven(_ body: String) -> String {
        // Where a worker computes the new side nothing is derived of it here.
        let new = mapping.remote == nil ? mapping.new : []
        // Without old columns those that `forward` reads are the old side.
        let source = mapping.old.isEmpty ? mapping.named.filter { !mapping.new.contains($0) } : []
        let marker = mapping.marker.quotedIdentifier
        // A note that the last trigger did not see, since it alone was off, stands behind the side.
        return """
            DECLARE
                sluice_wrote_none boolean := false;
            BEGIN
            \(body)
            IF sluice_wrote_none THEN
            \(restore(new, .forward, where: "OLD.\(marker) = 'o'\(source.isEmpty ? "" : " AND NOT \(changed(source))")"))
            \(restore(mapping.old, .backward, where: "left(OLD.\(marker), 1) = 'n'"))
            END IF;
            END;
            """
    }

    /// What ``restoringUneven(_:)`` does with the rows of one side.
    private func restore(
        _ derived: [Column], _ direction: Mapping.Direction, where isOfSide: String
    ) -> String {
        guard !derived.isEmpty else { return "NULL;" }
        return """
            IF \(isOfSide) AND \(changed(derived)) THEN
            \(read(from: "OLD"))
                IF \(differs(derived, direction, in: "OLD")) THEN
            \(derived.map { "NEW.\(stored($0)) := OLD.\(stored($0));" }.joined(separator: "\n"))
                END IF;
            END IF;
            """
    }

    /// Whether one of `columns` is not what it was before the statement.
    func changed(_ columns: [Column]) -> String {
        func image(_ record: String) -> String {
            "ROW(\(columns.map { "\(record).\(stored($0))" }.joined(separator: ", ")))"
        }
        return "record_image_ne(\(image("NEW")), \(image("OLD")))"
    }

    /// Whether either side of `NEW` follows from the other; read the variables first.
    var agreement: String {
        "NOT (\(differs(mapping.old, .backward)) AND \(differs(mapping.new, .forward)))"
    }

    // MARK: Names

    /// As the column is called in the table.
    private func stored(_ column: Column) -> String {
        guard archived else { return column.stored }
        return mapping.old.contains(column) ? mapping.archived(column).quotedIdentifier : column.quoted
    }

    /// The columns whose name means one thing only.
    private var plain: [Column] {
        mapping.named.filter { !mapping.sharedNames.contains($0.name) }
    }

    /// What a shared name means to the expressions of one direction.
    private func shared(_ direction: Mapping.Direction) -> [Column] {
        (direction == .forward ? mapping.old : mapping.new).filter { mapping.sharedNames.contains($0.name) }
    }

    private func evaluating(_ direction: Mapping.Direction, over record: String, _ statements: [String]) -> String {
        let body = ([read(from: record)] + statements).joined(separator: "\n")
        let shared = shared(direction)
        guard !shared.isEmpty else { return body }
        let declarations = shared.map { "    \($0.variable) := \(record).\(stored($0));" }
        return """
            DECLARE
            \(declarations.joined(separator: "\n"))
            BEGIN
            \(body)
            END;
            """
    }

    private func differs(_ columns: [Column], _ direction: Mapping.Direction, in record: String = "NEW") -> String {
        guard !columns.isEmpty else { return "false" }
        let expressions = direction == .forward ? mapping.forward : mapping.backward
        let shared = shared(direction).map { "\(record).\(stored($0)) AS \($0.quoted)" }
        let derived = columns.map { column in
            let value = "(\(expressions[column.name]!))::\(column.type)"
            return shared.isEmpty
                ? value : "(SELECT \(value) FROM (SELECT \(shared.joined(separator: ", "))) AS sluice_row)"
        }
        let present = columns.map { "\(record).\(stored($0))" }
        return RowImage.differs(columns, present: present, derived: derived)
    }
}
