public import KubernetesClient

/// What the webhook does to an object before it is stored. It never refuses one.
public enum AdmissionDecision: Sendable, Hashable {
    /// It is stored as it is.
    case pass
    /// The field that `path` leads to gets this value, and the object these marks, an absent one being taken off: it is
    /// held, and the gate lets go of it later.
    case hold(path: [String], value: JSONValue, marks: Marks)
    /// What we held is now somebody's own pause: the mark goes, the pause stays.
    case giveUp

    /// The annotations of a hold.
    public struct Marks: Sendable, Hashable {
        /// Whose it is and what it waits for, for people.
        public var held: String
        /// What the field was before, where that is not the default.
        public var heldFrom: String?

        public init(_ held: String, from heldFrom: String? = nil) {
            self.held = held
            self.heldFrom = heldFrom
        }
    }

    /// The change as JSON Patch (RFC 6902) for the object that was decided about; empty where there is none.
    public func patch(of object: JSONValue) -> [JSONValue] {
        switch self {
        case .pass: []
        case .giveUp: Self.mark([:], object)
        case .hold(let path, let value, let marks):
            Self.add(value, at: path, of: object)
                + Self.mark([SluiceName.held: marks.held, SluiceName.heldFrom: marks.heldFrom], object)
        }
    }

    /// Sets the marks that there are to be, and takes the others off.
    private static func mark(_ marks: [String: String?], _ object: JSONValue) -> [JSONValue] {
        let there = object[path: "metadata", "annotations"]?.object
        let wanted = marks.compactMapValues { $0 }
        let missing: [JSONValue] = there == nil && !wanted.isEmpty ? add([:], at: annotations, of: object) : []
        return missing
            + [SluiceName.held, SluiceName.heldFrom].flatMap { name -> [JSONValue] in
                let path = JSONValue.string(pointer(to: annotations + [name]))
                if let text = wanted[name] { return [["op": "add", "path": path, "value": .string(text)]] }
                return there?[name] == nil ? [] : [["op": "remove", "path": path]]
            }
    }

    private static let annotations = ["metadata", "annotations"]

    /// Sets a value, and makes what is missing on the way to it.
    private static func add(_ value: JSONValue, at path: [String], of object: JSONValue) -> [JSONValue] {
        var operations: [JSONValue] = []
        var parent: JSONValue? = object
        for (depth, name) in path.dropLast().enumerated() {
            parent = parent?[name]
            if parent?.object == nil {
                let missing = pointer(to: Array(path[...depth]))
                operations.append(["op": "add", "path": .string(missing), "value": [:]])
            }
        }
        return operations + [["op": "add", "path": .string(pointer(to: path)), "value": value]]
    }

    /// A slash in a name is written `~1`, a tilde `~0` (RFC 6901, section 3).
    private static func pointer(to path: [String]) -> String {
        path.map { "/" + $0.replacing("~", with: "~0").replacing("/", with: "~1") }.joined()
    }
}
