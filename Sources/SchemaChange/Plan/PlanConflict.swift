/// Why a plan has to wait for another one that is in force, in part or whole.
public enum PlanConflict: Hashable, Sendable {
    /// A table that one of them takes away or calls otherwise.
    case table(TableName)
    /// A column that one of them writes or takes away, and the triggers of the other read.
    case column(String)
    /// A column with which one that the other replaces shares an index, a check or a key: both would make that anew.
    case shared(String)
    /// A column that a foreign key ties to one that the other replaces.
    case tied(String)

    /// - Parameters:
    ///   - plan: of which nothing is in force yet.
    ///   - isContracted: whether the other one's old columns are in the archive. What is contracted and has no archive is
    ///     done, but for a way back, which is last in, first out.
    public static func between(_ plan: Plan, and other: Plan, isContracted: Bool) -> PlanConflict? {
        let mine = isContracted && other.purge.isEmpty ? [] : plan.wholeTables ?? []
        let theirs = isContracted ? [] : other.wholeTables ?? []
        if let table = mine.first(where: other.tables.contains) ?? theirs.first(where: plan.tables.contains) {
            return .table(table)
        }
        func common(_ get: (Plan) -> [String]) -> String? {
            var columns = Set(plan.writes).intersection(get(other))
            if !isContracted { columns.formUnion(Set(get(plan)).intersection(other.writes)) }
            return columns.min()
        }
        if let column = common(\.touches) { return .column(column) }
        if let column = common({ $0.shared ?? [] }) { return .shared(column) }
        return isContracted ? nil : common { $0.tied ?? [] }.map(PlanConflict.tied)
    }

    /// What the other one works on, and until when this one waits.
    ///
    /// - Parameter outlivesContract: whether there is a conflict as well while the other one is contracted and may go back.
    public func message(outlivesContract: Bool) -> String {
        let end =
            outlivesContract
            ? "this one begins when that one is contracted and its contract.keepFor is over, or is undone"
            : "this one begins when that one is contracted, or is undone"
        return switch self {
        case .table(let table): "table \(table); \(end)"
        case .column(let column): "column \(column); \(end)"
        case .shared(let column):
            "column \(column), and an index, a check or a key is over columns of both; \(end)"
        case .tied(let column):
            "column \(column), and a foreign key is between columns of both; \(end); if both are to be verified before, put "
                + "them into one Migration"
        }
    }
}
