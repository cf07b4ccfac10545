import Foundation

/// The servers that every test of a run shares, and where to put more of them.
///
/// They come from the environment that `scripts/with-servers` makes. Tests share them, so each makes a database and a
/// namespace of its own; one that stops a server uses ``PrivatePostgres`` or ``PrivateControlPlane``.
public enum TestServers {
    /// A superuser's connection to the shared PostgreSQL. Do not make tables in it: ``withTestDatabase(_:)``.
    public static var databaseURL: String {
        get throws { try environment("SLUICE_TEST_DATABASE_URL") }
    }

    /// The same of PostgreSQL 18, which stands beside the one that is installed.
    public static var databaseURL18: String {
        get throws { try environment("SLUICE_TEST_POSTGRES_18_URL") }
    }

    /// The path of `pg_dump`: of PostgreSQL 18 where it is there, for an older one dumps no newer server.
    public static var pgDump: String {
        guard let folder = try? environment("SLUICE_TEST_POSTGRES_18_BIN") else { return "pg_dump" }
        return folder + "/pg_dump"
    }

    /// The path of the shared control plane's kubeconfig: contexts `admin` (current), `reader`, `nobody`,
    /// `operator`.
    public static var kubeconfig: String {
        get throws { try environment("SLUICE_TEST_KUBECONFIG") }
    }

    /// The folder for what a run leaves behind; servers started under it are stopped with the run.
    public static var folder: String {
        get throws { try environment("SLUICE_TEST_DIR") }
    }

    /// The folder of the repository's scripts.
    public static var scripts: String {
        get throws { try environment("SLUICE_TEST_SCRIPTS") }
    }

    /// The `sluice` program that was built with the tests.
    public static var sluice: String {
        get throws { try environment("SLUICE_BINARY") }
    }

    /// Whether the long form of a test is asked for: `make soak`.
    public static var isSoak: Bool {
        ProcessInfo.processInfo.environment["SLUICE_SOAK"] == "1"
    }

    private static func environment(_ name: String) throws -> String {
        guard let value = ProcessInfo.processInfo.environment[name], !value.isEmpty else {
            throw TestFailure("\(name) is not set, so there are no servers to test against: run `make test`")
        }
        return value
    }
}
