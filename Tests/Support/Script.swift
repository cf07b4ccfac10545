/// A script of the repository's `scripts/`, run to its end.
public enum Script {
    /// Runs it and returns what it printed. Throws ``TestFailure`` with all that it said if it fails.
    @discardableResult
    public static func run(
        _ name: String, _ arguments: String..., within limit: Duration = .seconds(120)
    ) async throws -> String {
        try await Program.output(TestServers.scripts + "/" + name, arguments, within: limit)
    }
}
