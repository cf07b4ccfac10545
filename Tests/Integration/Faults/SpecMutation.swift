import KubernetesClient
import TestSupport

/// A change of one field of a spec, made up from the field's schema: within its bounds, or just beyond one of them.
struct SpecMutation: Sendable, CustomStringConvertible {
    enum Kind: Sendable {
        /// The schema allows it; whether it makes sense is another question.
        case allowed
        /// The schema does not.
        case refused
    }

    /// Keys of objects and indices of lists.
    var path: [String]
    var kind: Kind
    /// Nil takes the field away.
    var value: JSONValue?
    var why: String

    var description: String { "\(path.joined(separator: ".")) = \(value?.text ?? "nothing") (\(kind), \(why))" }

    /// Whether no database can do it: a table, a column, a type or an expression `x`.
    var makesNoSense: Bool { kind == .allowed && path.first == "changes" && value == "x" && path.last != "name" }

    /// Whether it makes another plan that a database can do: once that is proven, there is no way back to the first.
    var makesAnotherPlan: Bool {
        kind == .allowed && !makesNoSense && ["changes", "dualWrite", "views"].contains(path.first)
    }

    func applied(to spec: JSONValue) -> JSONValue { Self.set(spec, path[...], value) }

    private static func set(_ json: JSONValue, _ path: ArraySlice<String>, _ value: JSONValue?) -> JSONValue {
        guard let key = path.first else { return value ?? .null }
        let rest = path.dropFirst()
        if var items = json.array, let index = Int(key) {
            items[index] = set(items[index], rest, value)
            return .array(items)
        }
        var members = json.object ?? [:]
        if rest.isEmpty {
            members[key] = value
        } else {
            members[key] = set(members[key] ?? [:], rest, value)
        }
        return .object(members)
    }

    /// All that the schema makes of a value, for each field that is there or may be.
    static func all(of schema: JSONValue, in value: JSONValue?, at path: [String] = []) -> [SpecMutation] {
        var mutations = leaves(schema, path)
        if let properties = schema["properties"]?.object {
            let required = Set((schema["required"]?.array ?? []).compactMap(\.string))
            for (name, property) in properties.sorted(by: { $0.key < $1.key }) {
                let there = value?[name]
                // Fields of an optional object that is not there would make one that is not whole.
                if there == nil, property["properties"] != nil, property["default"] == nil { continue }
                mutations += all(of: property, in: there, at: path + [name])
                guard there != nil, !path.isEmpty || required.contains(name) else { continue }
                mutations.append(
                    SpecMutation(
                        path: path + [name], kind: required.contains(name) ? .refused : .allowed, value: nil,
                        why: "taken away"))
            }
        }
        if let items = schema["items"] {
            for (index, item) in (value?.array ?? []).enumerated() {
                mutations += all(of: items, in: item, at: path + [String(index)])
            }
        }
        return mutations
    }

    private static func leaves(_ schema: JSONValue, _ path: [String]) -> [SpecMutation] {
        guard !path.isEmpty else { return [] }
        var mutations: [SpecMutation] = []
        func add(_ kind: Kind, _ value: JSONValue, _ why: String) {
            mutations.append(SpecMutation(path: path, kind: kind, value: value, why: why))
        }
        switch schema["type"]?.string {
        case "string":
            add(.refused, .int(7), "a number for text")
            if let values = schema["enum"]?.array {
                for value in values { add(.allowed, value, "one of its values") }
                add(.refused, "Nonsense", "none of its values")
                break
            }
            let shortest = Int(schema["minLength"]?.int ?? 0)
            if shortest > 0 { add(.refused, "", "too short") }
            if let longest = schema["maxLength"]?.int {
                add(.refused, .string(String(repeating: "x", count: Int(longest) + 1)), "too long")
            }
            guard let pattern = schema["pattern"]?.string.flatMap({ try? Regex($0) }) else {
                add(.allowed, .string(String(repeating: "x", count: max(1, shortest))), "as short as may be")
                break
            }
            // A name, or a length of time.
            for text in ["x", "1h"] where text.contains(pattern) { add(.allowed, .string(text), "of its pattern") }
            add(.refused, "not ^ this", "not its pattern")
        case "integer":
            add(.refused, "many", "text for a number")
            if let least = schema["minimum"]?.int {
                add(.allowed, .int(least), "the least")
                add(.refused, .int(least - 1), "less than the least")
            }
            if let most = schema["maximum"]?.int {
                add(.allowed, .int(most), "the most")
                add(.refused, .int(most + 1), "more than the most")
            }
        case "boolean":
            for value in [true, false] { add(.allowed, .bool(value), "one of both") }
            add(.refused, "perhaps", "text for a truth value")
        case "array":
            add(.refused, "one", "text for a list")
            if schema["minItems"]?.int ?? 0 > 0 { add(.refused, [], "too few") } else { add(.allowed, [], "none") }
        case "object":
            add(.refused, "one", "text for an object")
        default: break
        }
        return mutations
    }
}
