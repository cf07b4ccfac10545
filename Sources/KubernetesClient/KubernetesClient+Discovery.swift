/// What the server says of itself at `/version`.
public struct ServerVersion: Decodable, Sendable, Hashable, CustomStringConvertible {
    public var major: String
    public var minor: String
    public var gitVersion: String

    public var description: String { gitVersion }

    /// The minor version as a number: some vendors write `27+`.
    public var minorNumber: Int { Int(minor.prefix(while: \.isNumber)) ?? 0 }
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
