/// A row of a result, as text; nil is SQL's NULL.
public struct PostgresRow: Sendable, Hashable {
    public let columns: [String]
    public let values: [String?]

    init(columns: [String], values: [String?]) {
        self.columns = columns
        self.values = values
    }

    /// The value in a place, counted from 0. The place must exist.
    public subscript(_ index: Int) -> String? {
        values[index]
    }

    /// The value in the first column of that name. The column must exist.
    public subscript(_ name: String) -> String? {
        guard let index = columns.firstIndex(of: name) else {
            preconditionFailure("the result has no column \(name), but \(columns)")
        }
        return values[index]
    }

    /// The value of a column; throws when it is NULL or there is no such column.
    public func text(_ name: String) throws(PostgresError) -> String {
        guard let index = columns.firstIndex(of: name) else {
            throw PostgresError(.protocolViolation, "the result has no column \(name)")
        }
        guard let value = values[index] else {
            throw PostgresError(.protocolViolation, "the column \(name) of the result is NULL")
        }
        return value
    }

    /// The value of an integer column; throws when it is NULL or reads otherwise.
    public func integer(_ name: String) throws(PostgresError) -> Int64 {
        try decode(name, "an integer") { Int64($0) }
    }

    /// The value of a boolean column; throws when it is NULL or reads otherwise.
    public func boolean(_ name: String) throws(PostgresError) -> Bool {
        try decode(name, "a boolean") { $0 == "t" ? true : $0 == "f" ? false : nil }
    }

    /// The value of a number's column; throws when it is NULL or reads otherwise.
    public func double(_ name: String) throws(PostgresError) -> Double {
        try decode(name, "a number") { Double($0) }
    }

    private func decode<Value>(
        _ name: String,
        _ kind: String,
        _ parse: (String) -> Value?
    ) throws(PostgresError) -> Value {
        guard let value = parse(try text(name)) else {
            throw PostgresError(.protocolViolation, "the column \(name) of the result is not \(kind)")
        }
        return value
    }
}
