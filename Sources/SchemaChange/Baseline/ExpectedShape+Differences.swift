/// What a database says of the things that an ``ExpectedShape`` names.
public struct FoundShape: Sendable {
    public var tables: [String: TableDescription]
    /// What PostgreSQL calls each of ``ExpectedShape/types``, without a length; nil for one that it does not know.
    public var typeNames: [String: String]
    /// The values of each of ``ExpectedShape/enumTypes``; nil for one that is none.
    public var enumValues: [String: [String]]

    public init(
        tables: [String: TableDescription], typeNames: [String: String], enumValues: [String: [String]]
    ) {
        self.tables = tables
        self.typeNames = typeNames
        self.enumValues = enumValues
    }
}

extension ExpectedShape {
    /// Where the database is not as the chain would have left it, a line each; empty where it is.
    public func differences(from found: FoundShape) -> [String] {
        var lines: [String] = []
        for (name, table) in tables.sorted(by: { $0.key < $1.key }) {
            guard let description = found.tables[name] else {
                if table.presence.isPresent { lines.append("there is no table \(name) (\(table.presence.origin))") }
                continue
            }
            guard table.presence.isPresent else {
                lines.append("table \(name) is still there (\(table.presence.origin))")
                continue
            }
            lines += Self.differences(
                "column", of: name, table.columns, present: Set(description.columns.map(\.name)))
            lines += typeDifferences(of: name, table, description, found)
            lines += Self.differences("index", of: name, table.indexes, present: Set(description.indexes.map(\.name)))
            lines += Self.differences(
                "constraint", of: name, table.constraints, present: Set(description.constraints.map(\.name)))
        }
        for (type, values) in enumValues.sorted(by: { $0.key < $1.key }) {
            lines += Self.differences("value", of: type, values, present: Set(found.enumValues[type] ?? []))
        }
        return lines
    }

    private static func differences(
        _ what: String, of owner: String, _ expected: [String: Expectation], present: Set<String>
    ) -> [String] {
        expected.sorted { $0.key < $1.key }.compactMap { name, expectation in
            switch (expectation.isPresent, present.contains(name)) {
            case (true, false): "\(owner) has no \(what) \(name) (\(expectation.origin))"
            case (false, true): "\(owner) still has \(what) \(name) (\(expectation.origin))"
            case (true, true), (false, false): nil
            }
        }
    }

    private func typeDifferences(
        of name: String, _ table: Table, _ description: TableDescription, _ found: FoundShape
    ) -> [String] {
        table.columns.sorted { $0.key < $1.key }.compactMap { column, expectation in
            guard expectation.isPresent, let type = expectation.type, let there = description.column(column) else {
                return nil
            }
            guard found.typeNames[type] != Self.withoutLength(there.type) else { return nil }
            return "column \(column) of \(name) is \(there.type), not \(type) (\(expectation.origin))"
        }
    }

    /// `numeric(10,2)[]` is `numeric[]`: how long a value may be is not compared.
    private static func withoutLength(_ type: String) -> String {
        type.replacing(/\ ?\([0-9, -]*\)/, with: "")
    }
}
