/// A PostgreSQL of a test's own, which it may kill and start again: ``withPrivatePostgres(settings:_:)``.
public struct PrivatePostgres: Sendable {
    /// The folder that holds its data and its log, `postgres.log`.
    public let folder: String
    /// A superuser's connection. It stays the same over a restart.
    public let url: String

    /// A crash: SIGKILL to the server and all of its processes. Returns when they are gone.
    public func kill() async throws {
        try await Script.run("postgres", "kill", folder)
    }

    /// Stops it in an orderly way, without waiting for sessions.
    public func stop() async throws {
        try await Script.run("postgres", "stop", folder)
    }

    /// Runs a standby that streams from it beside the body. Its `application_name` is `name`.
    public func withStandby<Value>(_ name: String, _ body: (PrivatePostgres) async throws -> Value) async throws
        -> Value
    {
        let standby = try TestServers.folder + "/" + uniqueName("standby") + "/" + name
        try await Program.output(TestServers.scripts + "/postgres", ["standby", standby, folder])
        return try await with {
            try await body(PrivatePostgres(folder: standby, url: try await Program.output("cat", [standby + "/url"])))
        } cleanUp: {
            try await Script.run("postgres", "stop", standby)
        }
    }

    /// A base backup of it, of which copies can be started: ``PostgresBackup/with(at:_:)``.
    ///
    /// - Parameter archive: the folder to which its `archive_command` copies WAL.
    public func backup(archive: String) async throws -> PostgresBackup {
        let folder = try TestServers.folder + "/" + uniqueName("backup")
        try await Program.output(TestServers.scripts + "/postgres", ["backup", folder, self.folder])
        return PostgresBackup(folder: folder, archive: archive)
    }

    /// Makes a primary of a standby, with a timeline of its own. Returns when it can be written to.
    public func promote() async throws {
        // Who waits for it in a statement keeps it from replaying what would take rows from that statement.
        try await Psql.run("SELECT pg_promote(false)", on: url)
        try await eventually("\(folder) is promoted", within: .seconds(60)) {
            try await Psql.run("SELECT pg_is_in_recovery()", on: url) == "f"
        }
    }

    /// Starts it on its data, whether it was stopped, killed, or runs. Returns when it takes connections.
    public func restart() async throws {
        try await Script.run("postgres", "restart", folder)
    }
}

/// A base backup, and the WAL of the server since.
public struct PostgresBackup: Sendable {
    let folder: String
    let archive: String

    /// Runs the server as it was at a restore point (`pg_create_restore_point`) beside the body, with a timeline of its own.
    public func with<Value>(at point: String, _ body: (PrivatePostgres) async throws -> Value) async throws -> Value {
        let copy = folder + "-" + point
        return try await TestSupport.with {
            try await Program.output(TestServers.scripts + "/postgres", ["recover", copy, folder, archive, point])
            return try await body(PrivatePostgres(folder: copy, url: try await Program.output("cat", [copy + "/url"])))
        } cleanUp: {
            try await Script.run("postgres", "stop", copy)
        }
    }
}

/// Each has processes and memory of its own, so only a few run at once.
private let places = Places(4)

/// Starts a PostgreSQL server for the body alone, and stops it afterwards. It takes about a second, and waits while four
/// others run.
///
/// - Parameter settings: on top of those of `scripts/postgres`, as in `["work_mem=8MB"]`. Not kept over a restart.
public func withPrivatePostgres<Value>(
    settings: [String] = [], _ body: (PrivatePostgres) async throws -> Value
) async throws -> Value {
    try await places.with {
        let folder = try TestServers.folder + "/" + uniqueName("postgres")
        try await Program.output(
            TestServers.scripts + "/postgres", ["start", folder] + settings.flatMap { ["-c", $0] })
        return try await with {
            let url = try await Program.output("cat", [folder + "/url"])
            return try await body(PrivatePostgres(folder: folder, url: url))
        } cleanUp: {
            try await Script.run("postgres", "stop", folder)
        }
    }
}
