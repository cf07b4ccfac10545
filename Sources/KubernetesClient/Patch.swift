/// A change to some of an object's fields.
public enum Patch: Sendable {
    /// RFC 7386: objects are merged, null removes, lists are replaced. A `metadata.resourceVersion` in it makes it fail
    /// with `conflict` where the object is another one by now.
    case merge(JSONValue)
    /// RFC 6902: a list of operations, tests among them.
    case json([JSONValue])

    /// A merge patch that holds only for the version that was seen.
    public static func merge(_ fields: JSONValue, ifVersion resourceVersion: String) -> Patch {
        var fields = fields
        var metadata = fields["metadata"] ?? [:]
        metadata["resourceVersion"] = .string(resourceVersion)
        fields["metadata"] = metadata
        return .merge(fields)
    }

    var body: JSONValue {
        switch self {
        case .merge(let fields): fields
        case .json(let operations): .array(operations)
        }
    }

    var contentType: String {
        switch self {
        case .merge: "application/merge-patch+json"
        case .json: "application/json-patch+json"
        }
    }

    var isIdempotent: Bool {
        if case .merge(let fields) = self { fields[path: "metadata", "resourceVersion"] == nil } else { false }
    }
}
