public import KubernetesClient

/// What the API server asks an admission webhook, as far as the gate is concerned.
/// <https://kubernetes.io/docs/reference/access-authn-authz/extensible-admission-controllers/#request>
public struct AdmissionRequest: Sendable, Hashable {
    public enum Operation: String, Sendable {
        case create = "CREATE"
        case update = "UPDATE"
        case delete = "DELETE"
        case connect = "CONNECT"
    }

    public var operation: Operation
    /// The group of the object's kind: `apps`.
    public var group: String
    public var kind: String
    /// `status`, or `scale`; nil for the object itself.
    public var subresource: String?
    /// Who the request says is writing: the `fieldManager` of its options.
    public var fieldManager: String?
    /// Who is writing, as the API server has authenticated.
    public var username: String?
    /// The object as it will be; nil when it is deleted.
    public var object: JSONValue?
    /// The object as it is; nil when it is created.
    public var oldObject: JSONValue?

    public init(
        operation: Operation, group: String = "apps", kind: String = "Deployment", subresource: String? = nil,
        fieldManager: String? = nil, username: String? = nil, object: JSONValue?, oldObject: JSONValue? = nil
    ) {
        self.operation = operation
        self.group = group
        self.kind = kind
        self.subresource = subresource
        self.fieldManager = fieldManager
        self.username = username
        self.object = object
        self.oldObject = oldObject
    }
}
