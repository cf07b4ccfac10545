/// The PostgreSQL servers that a run has, for tests that ask the same of each.
public enum PostgresVersion: String, CaseIterable, Sendable, CustomStringConvertible {
    /// Debian's, by far the most tested.
    case installed = "15"
    case newest = "18"

    public var description: String { "PostgreSQL \(rawValue)" }

    /// A superuser's connection to the shared server.
    public var url: String {
        get throws {
            switch self {
            case .installed: try TestServers.databaseURL
            case .newest: try TestServers.databaseURL18
            }
        }
    }
}
