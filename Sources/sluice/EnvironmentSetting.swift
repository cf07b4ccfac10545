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
        guard let text = ProcessInfo.processInfo.environment[variable], !text.isEmpty else { return nil }
        guard let value = Value(argument: text) else {
            throw ValidationError("\(variable) is \"\(text)\", which cannot be read; see sluice server --help")
        }
        return value
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

    static func list(_ given: [String], _ variable: String) -> [String] {
        if !given.isEmpty { return given }
        let text = ProcessInfo.processInfo.environment[variable] ?? ""
        return text.split(separator: ",").map { $0.trimmingCharacters(in: .whitespaces) }.filter { !$0.isEmpty }
    }
}
