/// Tells a row that the backfill has just filled, and filled right, from every other: for it the last trigger has nothing
/// left to do, and to call PL/pgSQL for each row would cost the backfill half of its speed.
///
/// The condition is the invariant itself, evaluated when all triggers of others have run: the row had no side, it has the old
/// one now, and its new columns are what `forward` makes of it. It stands in the trigger's `WHEN`, where columns cannot be named
/// as expressions name them; so it is an SQL function with parameters of those names, which PostgreSQL inlines
/// (<https://wiki.postgresql.org/wiki/Inlining_of_SQL_functions>). Its body is parsed when it is made, so that no `search_path`
/// is needed.
struct FilledRow {
    private let mapping: Mapping

    /// Nil for a mapping whose last trigger is to be called always.
    ///
    /// Parameters have no collation of their own: where a column has, `forward` could mean something else.
    init?(_ mapping: Mapping) {
        guard !mapping.new.isEmpty, mapping.remote == nil, !mapping.isWrittenByApplication,
            (mapping.named + mapping.new).allSatisfy({ $0.collation == nil })
        else { return nil }
        self.mapping = mapping
    }

    private var function: String { "sluice.\(("differs_" + mapping.token).quotedIdentifier)" }

    /// What `forward` may name.
    private var given: [Column] { mapping.named.filter { !mapping.new.contains($0) } }

    private func parameter(new index: Int) -> String { "sluice_new_\(index + 1)" }

    /// Made before the triggers, dropped after them. Whoever writes the table calls it.
    var create: [String] {
        let parameters =
            given.map { "\($0.quoted) \($0.type)" }
            + mapping.new.enumerated().map { "\(parameter(new: $0)) \($1.type)" }
        let present = mapping.new.indices.map(parameter)
        let derived = mapping.new.map { "(\(mapping.forward[$0.name]!))::\($0.type)" }
        return [
            """
            CREATE OR REPLACE FUNCTION \(function)(\(parameters.joined(separator: ", "))) RETURNS boolean \
            LANGUAGE sql IMMUTABLE PARALLEL SAFE \
            RETURN \(RowImage.differs(mapping.new, present: present, derived: derived))
            """,
            "GRANT EXECUTE ON FUNCTION \(function) TO PUBLIC",
        ]
    }

    var drop: [String] { ["DROP FUNCTION IF EXISTS \(function)"] }

    /// Whether `NEW` is not such a row. Never NULL.
    var isNotOne: String {
        let marker = mapping.marker.quotedIdentifier
        let values = (given + mapping.new).map { "NEW.\($0.stored)" }
        return "OLD.\(marker) IS NOT NULL OR NEW.\(marker) IS DISTINCT FROM 'o' "
            + "OR \(function)(\(values.joined(separator: ", ")))"
    }
}
