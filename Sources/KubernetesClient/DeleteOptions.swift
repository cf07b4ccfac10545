/// Which object exactly to delete, and what happens to those that it owns.
public struct DeleteOptions: Sendable {
    public enum Propagation: String, Sendable {
        case orphan = "Orphan"
        case background = "Background"
        case foreground = "Foreground"
    }

    /// The object must be this one, not one that was made anew under its name.
    public var uid: String?
    /// The object must be as it was at this version.
    public var resourceVersion: String?
    public var propagation: Propagation?

    public init(uid: String? = nil, resourceVersion: String? = nil, propagation: Propagation? = nil) {
        self.uid = uid
        self.resourceVersion = resourceVersion
        self.propagation = propagation
    }

    var body: JSONValue {
        var body: JSONValue = ["apiVersion": "v1", "kind": "DeleteOptions"]
        var preconditions: [String: JSONValue] = [:]
        if let uid { preconditions["uid"] = .string(uid) }
        if let resourceVersion { preconditions["resourceVersion"] = .string(resourceVersion) }
        if !preconditions.isEmpty { body["preconditions"] = .object(preconditions) }
        if let propagation { body["propagationPolicy"] = .string(propagation.rawValue) }
        return body
    }
}
