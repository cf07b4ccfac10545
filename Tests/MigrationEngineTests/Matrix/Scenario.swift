import MigrationEngine
import SchemaChange

/// A kind of change, and what either version of an application writes meanwhile: a row of the matrix.
///
/// Its table `items` has a key `id`, and two columns of text that no change knows, in which each write says what it means:
/// `meant_old` and `meant_new` are what each version must read of the row from then on.
struct Scenario: Sendable, CustomStringConvertible {
    let description: String
    /// Makes `items`, with what it needs.
    let setUp: String
    let changes: [Change]
    let old: Version
    let new: Version
    /// Where it turns round in the short form; in the long one everywhere.
    var targets = Phase.allCases.filter { $0 > .initial }
    /// What somebody else does to the table on the way forwards, once each phase is reached.
    var meanwhile: [Phase: String] = [:]
    /// Takes away, at Initial, what that has made.
    var cleanUp = ""

    struct Version: Sendable {
        /// While it may be there.
        let phases: ClosedRange<Phase>
        /// What it reads of a row: an SQL expression of type text.
        let side: String
        let update: Write
        let insert: Write

        init(_ phases: ClosedRange<Phase>, reads side: String, update: Write, insert: Write? = nil) {
            self.phases = phases
            self.side = side
            self.update = update
            self.insert = insert ?? update
        }
    }

    /// SQL expressions, in which `$k` is a number that no other write has.
    struct Write: Sendable {
        let columns: KeyValuePairs<String, String>
        /// What the sides are from then on; nil where they stay as they are, and NULL in a row that is new.
        let old: String?
        let new: String?
        /// What is written in another table by the same statement: a statement that finds the key in `written (id)`.
        var beside: String?

        init(
            _ columns: KeyValuePairs<String, String>, old: String? = nil, new: String? = nil, beside: String? = nil
        ) {
            self.beside = beside
            self.columns = columns
            self.old = old
            self.new = new
        }

        private var assignments: [(column: String, value: String)] {
            columns.map { ($0.key, $0.value) } + (old.map { [("meant_old", $0)] } ?? [])
                + (new.map { [("meant_new", $0)] } ?? [])
        }

        func update(id: Int, k: Int) -> String {
            let set = assignments.map { "\($0.column) = (\($0.value))" }.joined(separator: ", ")
            return whole("UPDATE items SET \(set) WHERE id = \(id)").numbered("\(k)")
        }

        func insert(id: Int, k: Int) -> String {
            whole(insert("VALUES (\(id), \(values))")).numbered("\(k)")
        }

        /// Rows with the ids from 1, each numbered by its id.
        func fill(rows: Int) -> String {
            insert("SELECT i, \(values) FROM generate_series(1, \(rows)) i").numbered("i")
        }

        private var values: String { assignments.map { "(\($0.value))" }.joined(separator: ", ") }

        private func insert(_ source: String) -> String {
            let columns = ["id"] + assignments.map(\.column)
            return "INSERT INTO items (\(columns.joined(separator: ", "))) \(source)"
        }

        private func whole(_ statement: String) -> String {
            beside.map { "WITH written AS (\(statement) RETURNING id) \($0)" } ?? statement
        }
    }

    /// How a row is read that is not what was meant.
    func flaws(of version: ApplicationVersion, id: Int? = nil) -> String {
        let (side, meant) = version == .old ? (old.side, "meant_old") : (new.side, "meant_new")
        return """
            SELECT id, \(side) AS found, \(meant) AS meant FROM items
            WHERE (\(side)) IS DISTINCT FROM \(meant)\(id.map { " AND id = \($0)" } ?? "") ORDER BY id LIMIT 3
            """
    }

    func version(_ version: ApplicationVersion) -> Version { version == .old ? old : new }
}

extension String {
    fileprivate func numbered(_ k: String) -> String { replacing("$k", with: k) }
}
