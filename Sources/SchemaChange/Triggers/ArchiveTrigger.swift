/// Keeps the archive of a ``Mapping`` right after Contract, so that the way back stays open: what is written to the new
/// columns reaches the old ones under their archived names.
///
/// The old version is gone by then, so every write is the new side's.
struct ArchiveTrigger {
    let mapping: Mapping

    private var functionName: String { "sluice.\(("archive_" + mapping.token).quotedIdentifier)" }
    private var trigger: String { "\(DualWriteTriggers.lastName)_archive_\(mapping.token)".quotedIdentifier }
    private var table: String { mapping.table.quoted }

    var create: [String] {
        let row = RowCode(mapping: mapping, archived: true)
        let marker = mapping.marker.quotedIdentifier
        // A column that an expression merely reads counts as well: the old side is derived again when it changes.
        let watched = mapping.new + mapping.named.filter { !mapping.new.contains($0) && !mapping.old.contains($0) }
        func image(_ record: String) -> String {
            "ROW(\(watched.map { "\(record).\($0.quoted)" }.joined(separator: ", ")))"
        }
        // A row that arrives with a side moves from another partition, and keeps what it has.
        let arrives =
            mapping.remote != nil
            ? ""
            : """
                IF TG_OP = 'INSERT' AND NEW.\(marker) IN ('o', 'n') THEN
                \(row.read(from: "NEW"))
                    IF NOT \(row.violation) THEN
                        RETURN NEW;
                    END IF;
                END IF;
            """
        let body = """
            IF TG_OP = 'UPDATE' THEN
                IF OLD.\(marker) IS NOT NULL AND record_image_eq(\(image("NEW")), \(image("OLD"))) THEN
                    RETURN NEW;
                END IF;
            END IF;
            \(arrives)
            NEW.\(marker) := 'n';
            \(row.deriveOld())
            """
        return [
            row.function(functionName, body: body),
            "CREATE TRIGGER \(trigger) BEFORE INSERT OR UPDATE ON \(table) FOR EACH ROW EXECUTE FUNCTION \(functionName)()",
            "ALTER TABLE \(table) ENABLE ALWAYS TRIGGER \(trigger)",
        ]
    }

    var drop: [String] {
        [
            "DROP TRIGGER IF EXISTS \(trigger) ON \(table)",
            "DROP FUNCTION IF EXISTS \(functionName)()",
        ]
    }
}
