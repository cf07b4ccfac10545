/// Which object of a resource: its namespace, unless the resource has none, and its name.
public struct ObjectKey: Hashable, Sendable, Comparable, CustomStringConvertible {
    public var namespace: String?
    public var name: String

    public init(_ name: String, in namespace: String? = nil) {
        self.name = name
        self.namespace = namespace
    }

    public var description: String {
        namespace.map { "\($0)/\(name)" } ?? name
    }

    public static func < (left: ObjectKey, right: ObjectKey) -> Bool {
        (left.namespace ?? "", left.name) < (right.namespace ?? "", right.name)
    }
}
