public import KubernetesClient

/// What the webhook does to an object before it is stored. It never refuses one.
public enum AdmissionDecision: Sendable, Hashable {
    /// It is stored as it is.
    case pass
    /// The field that `path` leads to gets this value, and the object a mark with this text: it is held, and the gate
    /// lets go of it later.
    case hold(path: [String], value: JSONValue, mark: String)
    /// What we held is now somebody's own pause: the mark goes, the pause stays.
    case giveUp

    /// The change as JSON Patch (RFC 6902) for the object that was decided about; empty where there is none.
    public func patch(of object: JSONValue) -> [JSONValue] {
        switch self {
        case .pass: []
        case .giveUp: [["op": "remove", "path": .string(Self.pointer(to: Self.markPath))]]
        case .hold(let path, let value, let mark):
            Self.add(value, at: path, of: object) + Self.add(.string(mark), at: Self.markPath, of: object)
        }
    }

    private static let markPath = ["metadata", "annotations", SluiceName.held]

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
