/// PL/pgSQL of the triggers of a mapping both sides of which the application writes, see ``DualWriter/application``.
///
/// The sides of a row **agree** when the new columns are `forward` of the old ones, or the old ones `backward` of the new.
/// No write is refused for disagreeing; the marker tells what came of it:
///
/// * NULL: **unfilled**. Nobody has written the new side, or somebody wrote the old one alone after that, before it was
///   declared that every writer writes both.
/// * `o`: the backfill filled it. `n`: the application wrote it, and the sides agree.
/// * `m`, **missing**: the old side was written alone although it was declared.
/// * `d`, **disagreeing**: both were named and do not agree, or ceased to by a write of a column that neither is, or past the
///   triggers.
///
/// A write that names new columns alone is that of the version which comes after, and outlives Contract: its old side is
/// `backward` of it, as it will be in the archive.
struct CheckedRow {
    let mapping: Mapping
    /// Whether it was declared that every writer writes both sides.
    let isDeclared: Bool

    private var row: RowCode { RowCode(mapping: mapping) }
    private var marker: String { mapping.marker.quotedIdentifier }

    private func given(_ columns: [Column]) -> String {
        columns.map { "NEW.\($0.stored) IS NOT NULL" }.joined(separator: " OR ")
    }

    /// After a statement has named new columns. The others of a row that is not filled are what the backfill would have
    /// made of them.
    func early(note: (Int) -> String) -> String {
        """
        IF OLD.\(marker) IS NULL THEN
        \(row.fillUnnamed(note: note))
        END IF;
        IF strpos(NEW.\(marker), '-') = 0 THEN
        \(row.deriveOld())
        END IF;
        """
    }

    func last(namesNew: String, changesOld: String) -> String {
        """
        IF TG_OP = 'UPDATE' THEN
            IF OLD.\(marker) IS NULL AND NEW.\(marker) = 'o' THEN
        \(row.deriveNew())
                RETURN NEW;
            END IF;
        END IF;
        \(row.read(from: "NEW"))
        DECLARE
            sluice_agrees boolean := false;
        BEGIN
            BEGIN
                sluice_agrees := \(row.agreement);
            EXCEPTION WHEN data_exception OR integrity_constraint_violation OR raise_exception THEN
                NULL;
            END;
            IF TG_OP = 'INSERT' THEN
                IF sluice_agrees THEN
                    NEW.\(marker) := CASE WHEN NEW.\(marker) = 'o' THEN 'o' ELSE 'n' END;
                ELSIF NOT (\(given(mapping.new))) THEN
                    NEW.\(marker) := \(alone);
                ELSIF \(given(mapping.old)) THEN
                    NEW.\(marker) := 'd';
                ELSE
                    NEW.\(marker) := 'n';
        \(row.deriveOld())
                END IF;
            ELSIF sluice_agrees THEN
                NEW.\(marker) := CASE WHEN \(namesNew) OR \(changesOld) THEN 'n'
                    WHEN OLD.\(marker) IS NULL OR OLD.\(marker) = 'o' THEN OLD.\(marker) ELSE 'n' END;
            ELSIF \(namesNew) AND strpos(NEW.\(marker), '-') > 0 THEN
                NEW.\(marker) := 'd';
            ELSIF \(namesNew) THEN
                NEW.\(marker) := 'n';
        \(row.deriveOld())
            ELSIF \(changesOld) THEN
                NEW.\(marker) := \(alone);
            ELSIF OLD.\(marker) = 'o' AND NOT \(row.changed(mapping.named)) THEN
                NEW.\(marker) := 'd';
            ELSIF OLD.\(marker) IN ('o', 'm') THEN
                NEW.\(marker) := \(alone);
            ELSIF OLD.\(marker) = 'n' THEN
                NEW.\(marker) := 'd';
            ELSE
                NEW.\(marker) := OLD.\(marker);
            END IF;
        END;
        """
    }

    /// Of a row whose old side alone was written.
    private var alone: String { isDeclared ? "'m'" : "NULL" }
}
