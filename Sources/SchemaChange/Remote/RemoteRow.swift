/// PL/pgSQL of the triggers of a mapping whose new side a worker computes, see ``RemoteForward``.
///
/// A trigger cannot ask a worker. So a write of the old side leaves a row **unfilled**: marker and new columns NULL, until
/// the worker was asked about it. `o` says that the new columns are what the worker made of exactly these old values; `n`
/// says, as ever, that the old columns are `backward` of the new ones. A column that is added has no old ones: there it is
/// the columns that the worker is given which make a row unfilled.
struct RemoteRow {
    let mapping: Mapping

    private var row: RowCode { RowCode(mapping: mapping) }
    private var marker: String { mapping.marker.quotedIdentifier }

    private func image(_ record: String, _ columns: [Column]) -> String {
        "ROW(\(columns.map { "\(record).\($0.stored)" }.joined(separator: ", ")))"
    }

    private func assign(_ columns: [Column], _ value: (Column) -> String) -> String {
        columns.map { "NEW.\($0.stored) := \(value($0));" }.joined(separator: "\n")
    }

    /// After a statement has named new columns. Of a row that is not filled it has to name all of them: what the others
    /// should be nobody knows yet, and NULL would be taken for what was meant.
    func early(note: (Int) -> String) -> String {
        let missing = mapping.new.indices.map { "strpos(NEW.\(marker), '\(note($0))') = 0" }
        return """
            IF OLD.\(marker) IS NULL AND (\(missing.joined(separator: " OR "))) THEN
                RAISE EXCEPTION 'a row of \(mapping.table.description.replacing("'", with: "''").replacing("%", with: "%%")) is not filled yet'
                    USING ERRCODE = '40001', HINT = 'Try again in a moment, or write all new columns.';
            END IF;
            \(row.deriveOld())
            """
    }

    func last(namesNew: String, changesOld: String) -> String {
        let newGiven = mapping.new.map { "NEW.\($0.stored) IS NOT NULL" }.joined(separator: " OR ")
        let inputsDiffer = "record_image_ne(\(image("NEW", mapping.inputs)), \(image("OLD", mapping.inputs)))"
        let body = """
            IF TG_OP = 'INSERT' THEN
                NEW.\(marker) := CASE WHEN \(newGiven) THEN 'n' END;
            ELSIF OLD.\(marker) IS NULL AND NEW.\(marker) = 'o' AND NOT \(inputsDiffer) THEN
                RETURN NEW;
            ELSIF \(namesNew) THEN
                NEW.\(marker) := 'n';
            ELSIF \(changesOld) THEN
                NEW.\(marker) := NULL;
            ELSIF left(OLD.\(marker), 1) = 'n' THEN
                sluice_wrote_none := true;
                NEW.\(marker) := 'n';
            ELSIF OLD.\(marker) IS NULL OR \(inputsDiffer) THEN
                NEW.\(marker) := NULL;
            ELSE
                NEW.\(marker) := 'o';
            END IF;
            IF NEW.\(marker) = 'n' THEN
            \(row.deriveOld())
            ELSIF NEW.\(marker) = 'o' THEN
            \(assign(mapping.new) { "OLD.\($0.stored)" })
            ELSE
            \(assign(mapping.new) { _ in "NULL" })
            END IF;
            """
        return row.restoringUneven(body)
    }
}
