/// SQL by which a writer says, in its own statement, what it means: shadow columns, unrelated for Sluice.
///
/// For each mapping `s_…_side` is the side that was meant last, and the other shadow columns the values meant on it. An
/// assignment reads the shadow of the very row version that it changes, so what is meant is as atomic as what is written.
enum Intent {
    /// What the old version sees of a mapping in a row: what was meant there, or what backward makes of the new side.
    static let seenFullName =
        "CASE \(row).s_name_side WHEN 'n' THEN \(row).s_first || ' ' || \(row).s_last ELSE \(row).s_full END"
    static let seenAmount =
        "CASE \(row).s_amount_side WHEN 'n' THEN (\(row).s_cents / 100)::integer ELSE \(row).s_amount END"
    /// And what the new version sees.
    static let seenFirst =
        "CASE \(row).s_name_side WHEN 'o' THEN \(first(of: row + ".s_full")) ELSE \(row).s_first END"
    static let seenLast = "CASE \(row).s_name_side WHEN 'o' THEN \(last(of: row + ".s_full")) ELSE \(row).s_last END"
    static let seenCents =
        "CASE \(row).s_amount_side WHEN 'o' THEN \(row).s_amount::bigint * 100 ELSE \(row).s_cents END"

    /// An upsert knows two rows, so each shadow column that is read says which.
    private static let row = "customers"

    static func first(of name: String) -> String { "split_part(\(name), ' ', 1)" }
    static func last(of name: String) -> String { "substr(\(name), strpos(\(name) || ' ', ' ') + 1)" }

    /// The old version writes a name. One that is as it was is no change of side: who writes a whole row back means that.
    static func old(fullName: String) -> String {
        """
        full_name = \(fullName),
        s_name_side = CASE WHEN \(seenFullName) IS DISTINCT FROM \(fullName) THEN 'o' ELSE \(row).s_name_side END,
        s_full = CASE WHEN \(seenFullName) IS DISTINCT FROM \(fullName) THEN \(fullName) ELSE \(row).s_full END
        """
    }

    static func old(amount: String) -> String {
        """
        amount = \(amount),
        s_amount_side = CASE WHEN \(seenAmount) IS DISTINCT FROM \(amount) THEN 'o' ELSE \(row).s_amount_side END,
        s_amount = CASE WHEN \(seenAmount) IS DISTINCT FROM \(amount) THEN \(amount) ELSE \(row).s_amount END
        """
    }

    /// The new version writes one or both; nil is a column that it does not mention.
    static func new(first: String?, last: String?) -> String {
        var assignments = ["s_name_side = 'n'", "s_first = \(first ?? seenFirst)", "s_last = \(last ?? seenLast)"]
        if let first { assignments.append("first_name = \(first)") }
        if let last { assignments.append("last_name = \(last)") }
        return assignments.joined(separator: ", ")
    }

    static func new(cents: String) -> String {
        "cents = \(cents), s_amount_side = 'n', s_cents = \(cents)"
    }

    /// How many rows there are, how many lost what was meant last, and of how many the other side is wrong.
    static let audit = """
        SELECT count(*) AS rows,
            count(*) FILTER (WHERE
                CASE s_name_side WHEN 'o' THEN full_name IS DISTINCT FROM s_full
                    ELSE (first_name, last_name) IS DISTINCT FROM (s_first, s_last) END
                OR CASE s_amount_side WHEN 'o' THEN amount IS DISTINCT FROM s_amount
                    ELSE cents IS DISTINCT FROM s_cents END
                OR region IS DISTINCT FROM s_region) AS lost,
            count(*) FILTER (WHERE
                (first_name, last_name) IS DISTINCT FROM (\(seenFirst), \(seenLast))
                OR full_name IS DISTINCT FROM \(seenFullName)
                OR cents IS DISTINCT FROM \(seenCents) OR amount IS DISTINCT FROM \(seenAmount)
                OR area IS DISTINCT FROM upper(s_region)) AS wrong,
            count(*) FILTER (WHERE s_name_side = 'n' OR s_amount_side = 'n') AS new_side
        FROM customers
        """
}
