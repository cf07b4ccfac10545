import TestSupport

/// What the two versions of an application write to ``OracleScenario``'s table: a statement at a time, at random.
enum ApplicationVersion: Sendable, Hashable, CaseIterable {
    case old, new

    static let regions = 40

    /// `newID` is an id that nobody else inserts.
    func statement(ids: Int, newID: Int, _ random: inout SplitMix) -> String {
        let id = Int.random(in: 1...ids, using: &random)
        switch self {
        case .old: return old(id: id, newID: newID, &random)
        case .new: return new(id: id, newID: newID, &random)
        }
    }

    private func old(id: Int, newID: Int, _ random: inout SplitMix) -> String {
        let name = Self.name(&random)
        let amount = "\(Int.random(in: -50...50, using: &random))::integer"
        switch Int.random(in: 0..<100, using: &random) {
        case ..<25:
            return update(id, Intent.old(fullName: name))
        case ..<45:
            return update(id, Intent.old(amount: amount))
        case ..<55:
            return update(id, Intent.old(fullName: name) + ", " + Intent.old(amount: "NULL::integer"))
        case ..<65:
            // A whole row written back as it was read.
            return update(id, "full_name = full_name, amount = amount, region = region, note = 'same'")
        case ..<70:
            return update(id, Intent.old(fullName: "NULL::text"))
        case ..<76:
            let region = Self.region(&random)
            return update(id, "region = \(region), s_region = \(region)")
        case ..<82:
            return insertOld(newID, name, amount, Self.region(&random))
        case ..<90:
            return insertOld(id, name, amount, Self.region(&random))
                + " ON CONFLICT (id) DO UPDATE SET \(Intent.old(fullName: "EXCLUDED.full_name"))"
        case ..<91:
            // Cascades to all customers of the region.
            let number = Int.random(in: 1...Self.regions, using: &random)
            let code = "r\(number)_\(Int.random(in: 0..<1000, using: &random))"
            return "UPDATE regions SET code = '\(code)', meant = '\(code)' WHERE id = \(number)"
        default:
            return update(id, "note = 'old'")
        }
    }

    private func new(id: Int, newID: Int, _ random: inout SplitMix) -> String {
        let words = (Self.word(&random), Self.word(&random))
        // What backward loses: words in the first name, and less than a unit.
        let first = Bool.random(using: &random) ? "'\(words.0)'::text" : "'\(words.0) \(words.1)'::text"
        let last = "'\(words.1)'::text"
        let cents = "\(Int.random(in: -9999...9999, using: &random))::bigint"
        let null = "NULL::text"
        switch Int.random(in: 0..<100, using: &random) {
        case ..<15:
            return update(id, Intent.new(first: first, last: nil))
        case ..<30:
            return update(id, Intent.new(first: nil, last: last))
        case ..<40:
            return update(id, Intent.new(first: first, last: last) + ", " + Intent.new(cents: cents))
        case ..<50:
            return update(id, Intent.new(first: null, last: Bool.random(using: &random) ? last : nil))
        case ..<55:
            return update(id, Intent.new(first: nil, last: null) + ", " + Intent.new(cents: "NULL::bigint"))
        case ..<70:
            return update(id, Intent.new(cents: cents))
        case ..<76:
            let region = Self.region(&random)
            return update(id, "area = upper(\(region)), s_region = \(region)")
        case ..<82:
            return insertNew(newID, first, last, cents, Self.region(&random))
        case ..<85:
            return insertNew(newID, null, last, "NULL::bigint", Self.region(&random))
        case ..<92:
            return insertNew(id, first, last, cents, Self.region(&random))
                + " ON CONFLICT (id) DO UPDATE SET "
                + Intent.new(first: "EXCLUDED.first_name", last: "EXCLUDED.last_name")
        default:
            return update(id, "note = 'new'")
        }
    }

    private func update(_ id: Int, _ assignments: String) -> String {
        "UPDATE customers SET \(assignments) WHERE id = \(id)"
    }

    private func insertOld(_ id: Int, _ name: String, _ amount: String, _ region: String) -> String {
        """
        INSERT INTO customers
            (id, full_name, amount, region, s_name_side, s_full, s_amount_side, s_amount, s_region)
        VALUES (\(id), \(name), \(amount), \(region), 'o', \(name), 'o', \(amount), \(region))
        """
    }

    private func insertNew(_ id: Int, _ first: String, _ last: String, _ cents: String, _ region: String) -> String {
        """
        INSERT INTO customers (id, first_name, last_name, cents, area,
            s_name_side, s_first, s_last, s_amount_side, s_cents, s_region)
        VALUES (\(id), \(first), \(last), \(cents), upper(\(region)), 'n', \(first), \(last), 'n', \(cents), \(region))
        """
    }

    private static func word(_ random: inout SplitMix) -> String {
        ["Ann", "Bo", "Cher", "Dee", "Élan", "Fay", "Gus", "Hal"].randomElement(using: &random)!
            + String(Int.random(in: 0...99, using: &random))
    }

    /// Of one word, two or three: forward loses where they part.
    private static func name(_ random: inout SplitMix) -> String {
        let words = (0..<Int.random(in: 1...3, using: &random)).map { _ in word(&random) }
        return "'\(words.joined(separator: " "))'::text"
    }

    private static func region(_ random: inout SplitMix) -> String {
        "(SELECT code FROM regions WHERE regions.id = \(Int.random(in: 1...regions, using: &random)))"
    }
}
