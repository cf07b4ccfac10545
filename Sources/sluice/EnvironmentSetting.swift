import ArgumentParser
import Foundation

/// Options that may come from the environment as well: `--max-streams` is `SLUICE_MAX_STREAMS` there.
enum EnvironmentSetting {
    /// What the option says, else the variable, else the standard.
    static func value<Value: ExpressibleByArgument>(_ given: Value?, _ variable: String, else standard: Value) throws
        -> Value
    {
        try value(given, variable) ?? standard
    }

    static func value<Value: ExpressibleByArgument>(_ given: Value?, _ variable: String) throws -> Value? {
        if let given { return given }
        guard let text = text(variable) else { return nil }
        guard let value = Value(argument: text) else {
            throw ValidationError("\(variable) is \"\(text)\", which cannot be read; see sluice server --help")
        }
        return value
    }

    /// What a variable says; nil when it is not set, or empty.
    static func text(_ variable: String) -> String? {
        ProcessInfo.processInfo.environment[variable].flatMap { $0.isEmpty ? nil : $0 }
    }

    /// One on which access depends: an empty one is a mistake, and not none, which would open what was meant to be closed.
    static func access(_ given: String?, _ variable: String) throws -> String? {
        let text = given ?? ProcessInfo.processInfo.environment[variable]
        if let text, text.trimmingCharacters(in: .whitespaces).isEmpty {
            throw ValidationError(
                "\(variable) or its option is empty, which protects nothing; give a value, or leave it out")
        }
        return text
    }

    /// Within bounds.
    static func number(_ given: Int?, _ variable: String, else standard: Int, in bounds: ClosedRange<Int>) throws -> Int
    {
        let value = try value(given, variable, else: standard)
        guard bounds.contains(value) else {
            throw ValidationError(
                "\(place(given, variable)) is from \(bounds.lowerBound) to \(bounds.upperBound), not \(value)")
        }
        return value
    }

    /// More than nothing; nil when neither is given.
    static func positive(_ given: Timeout?, _ variable: String) throws -> Duration? {
        guard let value = try value(given, variable)?.duration else { return nil }
        guard value > .zero else { throw ValidationError("\(place(given, variable)) is more than 0s") }
        return value
    }

    /// Where a value came from: the variable, or `--max-streams`.
    private static func place<Value>(_ given: Value?, _ variable: String) -> String {
        given == nil ? variable : "--" + variable.dropFirst("SLUICE_".count).lowercased().replacing("_", with: "-")
    }

    /// `1`, `true` and `yes` turn a flag on.
    static func flag(_ given: Bool, _ variable: String) throws -> Bool {
        if given { return true }
        switch ProcessInfo.processInfo.environment[variable]?.lowercased() {
        case nil, "", "0", "false", "no": return false
        case "1", "true", "yes": return true
        case let text?: throw ValidationError("\(variable) is \"\(text)\"; it is 1 or 0")
        }
    }

    /// What is between the commas of the variable, though it be nothing.
    static func list(_ given: [String], _ variable: String) -> [String] {
        guard given.isEmpty, let text = ProcessInfo.processInfo.environment[variable] else { return given }
        return text.split(separator: ",", omittingEmptySubsequences: false)
            .map { $0.trimmingCharacters(in: .whitespaces) }
    }
}
