/// What the server says of itself at `/version`.
public struct ServerVersion: Decodable, Sendable, Hashable, CustomStringConvertible {
    public var major: String
    public var minor: String
    public var gitVersion: String

    public var description: String { gitVersion }

    /// The minor version as a number: 27 for `27+`, as some vendors write, and for `v1.27.3` where there is no other.
    public var minorNumber: Int {
        if let number = Int(minor.prefix(while: \.isNumber)) { return number }
        let parts = gitVersion.split(separator: ".")
        return parts.count > 1 ? Int(parts[1].prefix(while: \.isNumber)) ?? 0 : 0
    }
}

extension KubernetesClient {
    public func serverVersion() async throws(KubernetesError) -> ServerVersion {
        try await send(Call(method: "GET", path: "/version", isIdempotent: true), as: ServerVersion.self)
    }

    /// Whether the server knows the resource, in exactly this group and version.
    public func supports(_ resource: ResourceDescriptor) async throws(KubernetesError) -> Bool {
        struct Resources: Decodable {
            struct Resource: Decodable { var name: String }
            var resources: [Resource]?
        }
        do {
            let found = try await send(
                Call(method: "GET", path: resource.root, isIdempotent: true), as: Resources.self)
            return found.resources?.contains { $0.name == resource.plural } ?? false
        } catch  where error.code == .notFound {
            return false
        }
    }

    /// Whether the server says that it can serve (`/readyz`).
    public func isReady() async -> Bool {
        (try? await send(Call(method: "GET", path: "/readyz", isIdempotent: false))) != nil
    }
}
