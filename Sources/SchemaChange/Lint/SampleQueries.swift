/// Questions about a sample of a table's rows, before anything is changed.
public struct SampleQueries: Sendable {
    let mapping: Mapping
    /// At most; the sample is of whole pages, so that it costs as much as it reads.
    public static let rows: Int64 = 10_000

    /// Nil where a worker computes the new side: it is not asked for the sake of a plan.
    public init?(_ mapping: Mapping) {
        guard mapping.remote == nil else { return nil }
        self.mapping = mapping
    }

    /// - Parameter percent: of the table's pages.
    private func sample(_ percent: Double) -> String {
        "(SELECT * FROM \(mapping.table.quoted) TABLESAMPLE SYSTEM (\(percent)) LIMIT \(Self.rows)) AS s"
    }

    /// How large a part of the pages is enough, given how many rows there may be.
    public static func percent(ofRows rows: Int64) -> Double {
        // Twice as much as is needed: pages are not equally full.
        rows <= Self.rows * 2 ? 100 : min(100, 200 * Double(Self.rows) / Double(rows))
    }

    private var values: [String] { mapping.new.map { "(\(mapping.forward[$0.name]!))::\($0.type)" } }

    /// Answers `rows`, `width` (bytes of a row) of the sample.
    public func width(percent: Double) -> String {
        "SELECT count(*) AS rows, coalesce(avg(pg_column_size(s.*)), 0) AS width FROM \(sample(percent))"
    }

    /// The same, with what the new columns add to a row, computed: how long that takes longer is the expressions' share.
    public func added(percent: Double) -> String {
        """
        SELECT count(*) AS rows, coalesce(avg(pg_column_size(s.*)), 0) AS width, \
        coalesce(avg(greatest(pg_column_size(ROW(\(values.joined(separator: ", ")))) - 24, 0)), 0) AS added \
        FROM \(sample(percent))
        """
    }

    /// Answers `rows` of the sample, how many of them are `changed` by forward and backward, and the `keys` of some. Nil
    /// where there is nothing to come back to.
    public func roundTrip(percent: Double) -> String? {
        guard !mapping.old.isEmpty else { return nil }
        let key =
            mapping.key.isEmpty
            ? "'?'" : "concat_ws(', ', \(mapping.key.map { "s.\($0.quoted)" }.joined(separator: ", ")))"
        let olds = mapping.old.enumerated().map { "s.\($1.quoted) AS sluice_old_\($0)" }
        let news = zip(values, values.indices).map { "\($0) AS sluice_new_\($1)" }
        // What backward may name besides the new columns: those of the row that no new column replaces.
        let newNames = Set(mapping.new.map(\.name))
        let kept = mapping.named.filter { $0.interim == nil && !newNames.contains($0.name) }
        let inner = (["\(key) AS sluice_key"] + olds + news + kept.map { "s.\($0.quoted)" }).joined(separator: ", ")
        let seen =
            (mapping.new.enumerated().map { "f.sluice_new_\($0) AS \($1.quoted)" } + kept.map { "f.\($0.quoted)" })
            .joined(separator: ", ")
        let backs = mapping.old.map { "(\(mapping.backward[$0.name]!))::\($0.type)" }.joined(separator: ", ")
        let present = mapping.old.indices.map { "f.sluice_old_\($0)" }.joined(separator: ", ")
        return """
            SELECT count(*) AS rows, count(*) FILTER (WHERE changed) AS changed, \
            coalesce(array_to_string((array_agg(sluice_key ORDER BY sluice_key) FILTER (WHERE changed))[1:5], '), ('), '') AS keys \
            FROM (SELECT f.sluice_key, record_image_ne(ROW(\(present)), \
            (SELECT ROW(\(backs)) FROM (SELECT \(seen)) AS sluice_row)) AS changed \
            FROM (SELECT \(inner) FROM \(sample(percent))) AS f) AS compared
            """
    }
}
