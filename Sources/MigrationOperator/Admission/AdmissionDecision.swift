public import KubernetesClient

/// What the webhook does to an object before it is stored. It never refuses one.
public enum AdmissionDecision: Sendable, Hashable {
    /// It is stored as it is.
    case pass
    /// Paused, and marked as ours with this text, so that the gate lets go of it later.
    case hold(mark: String)
    /// What we held is now somebody's own pause: the mark goes, the pause stays.
    case giveUp

    /// The change as JSON Patch (RFC 6902) for the object that was decided about; empty where there is none.
    public func patch(of object: JSONValue) -> [JSONValue] {
        switch self {
        case .pass:
            return []
        case .giveUp:
            return [["op": "remove", "path": .string(Self.mark)]]
        case .hold(let mark):
            var operations: [JSONValue] = [["op": "add", "path": "/spec/paused", "value": true]]
            if object[path: "metadata", "annotations"]?.object == nil {
                operations.append(["op": "add", "path": "/metadata/annotations", "value": [:]])
            }
            operations.append(["op": "add", "path": .string(Self.mark), "value": .string(mark)])
            return operations
        }
    }

    /// A slash in a name is written `~1` (RFC 6901, section 3).
    private static let mark = "/metadata/annotations/" + SluiceName.held.replacing("/", with: "~1")
}
