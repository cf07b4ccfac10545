/// PostgreSQL's own client: what a test sees through it is not our library's opinion.
public enum Psql {
    /// Runs statements and returns the rows as psql prints them unaligned: a line each, columns by `|`.
    ///
    /// The statements come by standard input, each in a transaction of its own. Throws ``TestFailure`` at the first
    /// that fails.
    @discardableResult
    public static func run(
        _ sql: String, on url: String, variables: [String: String] = [:], within limit: Duration = .seconds(60)
    ) async throws -> String {
        var arguments = ["--no-psqlrc", "--quiet", "--no-align", "--tuples-only", "--set=ON_ERROR_STOP=1"]
        arguments += variables.map { "--set=\($0.key)=\($0.value)" }
        return try await Program.output(
            "psql", arguments + [url], environment: ["PGAPPNAME": "sluice-test"], input: sql, within: limit)
    }
}
