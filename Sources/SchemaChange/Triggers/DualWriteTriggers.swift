/// The triggers that keep both sides of a ``Mapping`` right.
///
/// Four kinds, by the order in which PostgreSQL fires them, which is that of their names:
///
/// 1. One `BEFORE UPDATE OF` **per column** notes in the marker that the statement named it. A combined trigger could
///    not tell an explicit NULL from a column that was not mentioned.
/// 2. When a new column was named, the others of a row that is not filled yet come from the old side, and the old side
///    from the new: triggers of others, which come next, see a whole row.
/// 3. The last one decides the side, and computes what it derives again, always: triggers of others may have run
///    between. So every row version that is written after the triggers' transaction committed satisfies the invariant.
///    It is passed over for one thing only, see ``FilledRow``. A row that was written past the triggers, and does not
///    satisfy it any more, stays as it is until somebody writes one of its sides, so that it is found (`Mismatch`).
/// 4. `BEFORE INSERT` decides the side by what arrives.
///
/// They are `ENABLE ALWAYS`, so that a replica role does not slip past them. Expressions are evaluated as PL/pgSQL
/// expressions over variables named like the columns: that takes its fast path, needs no privilege of the writer, and
/// `search_path` is pinned.
struct DualWriteTriggers {
    let mapping: Mapping
    /// Where the application writes both sides: whether it was declared that all of it does.
    var isDeclared = true
    /// Whether all rows were filled since the triggers are there. One without a side was written past them then: in a partition
    /// that was attached, or while one of them was off; what it has in a new column is no remainder of another walk.
    var isFilled = false

    var noteFunction: String { "sluice.\(("note_" + mapping.token).quotedIdentifier)" }
    var earlyFunction: String { "sluice.\(("early_" + mapping.token).quotedIdentifier)" }
    var lastFunction: String { "sluice.\(("side_" + mapping.token).quotedIdentifier)" }

    /// What a versioned view puts into the marker of a row that is inserted through it.
    static let viewSide = "n!"

    static let firstName = "!sluice"
    static let lastName = "~sluice"

    /// Whether a trigger of that name fires after the first and before the last of these: PostgreSQL compares bytes.
    static func surrounds(_ name: String) -> Bool {
        func isBefore(_ left: String, _ right: String) -> Bool {
            left.utf8.lexicographicallyPrecedes(right.utf8)
        }
        return isBefore(Plan.firstTriggerName, name) && isBefore(name, Plan.lastTriggerName)
    }

    private var earlyTrigger: String { "\(Self.firstName)_2_\(mapping.token)".quotedIdentifier }
    private var lastTrigger: String { "\(Self.lastName)_\(mapping.token)".quotedIdentifier }
    private var insertTrigger: String { "\(Self.lastName)_\(mapping.token)_insert".quotedIdentifier }
    private func noteTrigger(_ index: Int) -> String {
        "\(Self.firstName)_1_\(mapping.token)_\(index)".quotedIdentifier
    }

    private var row: RowCode { RowCode(mapping: mapping) }
    private var marker: String { mapping.marker.quotedIdentifier }
    private var table: String { mapping.table.quoted }

    /// `+1,` for the first new column, `-1,` for the first old one.
    private func note(new index: Int) -> String { "+\(index + 1)," }
    private func note(old index: Int) -> String { "-\(index + 1)," }

    // MARK: Creation and removal, side by side

    var create: [String] {
        functions + triggers
    }

    var drop: [String] {
        let names =
            mapping.new.indices.map { noteTrigger($0) }
            + mapping.old.indices.map { noteTrigger(mapping.new.count + $0) } + [
                earlyTrigger, lastTrigger, insertTrigger,
            ]
        return names.map { "DROP TRIGGER IF EXISTS \($0) ON \(table)" }
            + [noteFunction, earlyFunction, lastFunction].map { "DROP FUNCTION IF EXISTS \($0)()" }
            + (FilledRow(mapping)?.drop ?? [])
    }

    private var functions: [String] {
        (FilledRow(mapping)?.create ?? []) + [
            row.function(
                noteFunction,
                hasVariables: false,
                body: "NEW.\(marker) := coalesce(NEW.\(marker), '') || TG_ARGV[0];"
            ),
            row.function(earlyFunction, body: earlyBody),
            decide,
        ]
    }

    /// Replaces the functions by those for when all rows are filled. It stops nobody.
    var settle: [String] { [row.function(earlyFunction, body: earlyBody), decide] }

    /// Makes or replaces the function that decides the side. It stops nobody.
    var decide: String { row.function(lastFunction, body: lastBody) }

    private var triggers: [String] {
        var statements: [String] = []
        var names: [String] = []
        func add(_ name: String, _ definition: String) {
            statements.append("CREATE TRIGGER \(name) \(definition)")
            names.append(name)
        }
        for (index, column) in mapping.new.enumerated() {
            // The backfill names new columns as well; it is told by the marker that it sets itself.
            add(
                noteTrigger(index),
                """
                BEFORE UPDATE OF \(column.stored) ON \(table) FOR EACH ROW \
                WHEN (OLD.\(marker) IS NOT NULL OR NEW.\(marker) IS DISTINCT FROM 'o') \
                EXECUTE FUNCTION \(noteFunction)('\(note(new: index))')
                """
            )
        }
        for (index, column) in mapping.old.enumerated() {
            add(
                noteTrigger(mapping.new.count + index),
                """
                BEFORE UPDATE OF \(column.quoted) ON \(table) FOR EACH ROW \
                EXECUTE FUNCTION \(noteFunction)('\(note(old: index))')
                """
            )
        }
        add(
            earlyTrigger,
            """
            BEFORE UPDATE ON \(table) FOR EACH ROW WHEN (strpos(NEW.\(marker), '+') > 0) \
            EXECUTE FUNCTION \(earlyFunction)()
            """
        )
        if let filled = FilledRow(mapping) {
            add(insertTrigger, "BEFORE INSERT ON \(table) FOR EACH ROW EXECUTE FUNCTION \(lastFunction)()")
            add(
                lastTrigger,
                """
                BEFORE UPDATE ON \(table) FOR EACH ROW WHEN (\(filled.isNotOne)) \
                EXECUTE FUNCTION \(lastFunction)()
                """
            )
        } else {
            add(lastTrigger, "BEFORE INSERT OR UPDATE ON \(table) FOR EACH ROW EXECUTE FUNCTION \(lastFunction)()")
        }
        // One statement, so that a table goes through its partitions once.
        let always = names.map { "ENABLE ALWAYS TRIGGER \($0)" }.joined(separator: ", ")
        return statements + ["ALTER TABLE \(table) \(always)"]
    }

    // MARK: Bodies

    private var checked: CheckedRow { CheckedRow(mapping: mapping, isDeclared: isDeclared) }

    private var earlyBody: String {
        if mapping.remote != nil { return RemoteRow(mapping: mapping).early(note: note(new:)) }
        if mapping.isWrittenByApplication { return checked.early(note: note(new:)) }
        return """
            IF OLD.\(marker) IS NULL\(isFilled ? " AND NOT (\(newGiven("OLD")))" : "") THEN
            \(row.fillUnnamed(note: note(new:)))
            END IF;
            \(row.deriveOld())
            """
    }

    private func newGiven(_ record: String) -> String {
        mapping.new.map { "\(record).\($0.stored) IS NOT NULL" }.joined(separator: " OR ")
    }

    private var lastBody: String {
        let oldChanged = mapping.old.enumerated().map { index, column in
            """
            (strpos(NEW.\(marker), '\(note(old: index))') > 0 \
            AND record_image_ne(ROW(NEW.\(column.quoted)), ROW(OLD.\(column.quoted))))
            """
        }
        let namesNew = "strpos(NEW.\(marker), '+') > 0"
        let changesOld = oldChanged.isEmpty ? "false" : oldChanged.joined(separator: " OR ")
        if mapping.remote != nil { return RemoteRow(mapping: mapping).last(namesNew: namesNew, changesOld: changesOld) }
        if mapping.isWrittenByApplication {
            return checked.last(namesNew: namesNew, changesOld: "(\(changesOld))")
        }
        let isNew =
            "left(OLD.\(marker), 1) = 'n'" + (isFilled ? " OR OLD.\(marker) IS NULL AND (\(newGiven("OLD")))" : "")
        let body = """
            IF TG_OP = 'INSERT' THEN
                IF NEW.\(marker) IN ('o', 'n') THEN
            \(row.read(from: "NEW"))
                    IF NOT \(row.violation) THEN
                        RETURN NEW;
                    END IF;
                END IF;
                NEW.\(marker) := CASE WHEN NEW.\(marker) = '\(Self.viewSide)' OR \(newGiven("NEW")) THEN 'n' ELSE 'o' END;
            ELSIF \(namesNew) THEN
                NEW.\(marker) := 'n';
            ELSIF \(changesOld) THEN
                NEW.\(marker) := 'o';
            ELSE
                sluice_wrote_none := true;
                NEW.\(marker) := CASE WHEN \(isNew) THEN 'n' ELSE 'o' END;
            END IF;
            IF NEW.\(marker) = 'n' THEN
            \(row.deriveOld())
            ELSE
            \(row.deriveNew())
            END IF;
            """
        return row.restoringUneven(body)
    }
}
