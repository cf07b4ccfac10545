import Foundation
import TestSupport

/// A primary and its standby, one of which is written to: what clients see as one server, by a URL that names both.
final class ServerPair: Sendable {
    /// What happens to what the standby has not received when it takes the primary's place.
    enum Replication: Sendable {
        /// There is none: a commit waits until the standby has it.
        case synchronous
        /// It never was: some of what was written last.
        case lossy
    }

    let primary: PrivatePostgres
    let standby: PrivatePostgres
    let replication: Replication

    init(primary: PrivatePostgres, standby: PrivatePostgres, _ replication: Replication) async throws {
        self.primary = primary
        self.standby = standby
        self.replication = replication
        guard replication == .synchronous else { return }
        try await Psql.run("ALTER SYSTEM SET synchronous_standby_names = 'second'", on: primary.url)
        try await Psql.run("SELECT pg_reload_conf()", on: primary.url)
        try await eventually("commits wait for the standby") {
            try await Psql.run("SELECT sync_state FROM pg_stat_replication", on: primary.url) == "sync"
        }
    }

    /// Whichever of the two can be written to.
    var url: String {
        get throws {
            guard let parts = URLComponents(string: primary.url),
                let first = parts.port, let second = URLComponents(string: standby.url)?.port,
                let host = parts.host, let user = parts.user, let password = parts.password
            else { throw TestFailure("no URL: \(primary.folder)/url") }
            return "postgresql://\(user):\(password)@\(host):\(first),\(host):\(second)\(parts.path)"
                + "?target_session_attrs=read-write"
        }
    }

    /// Lets the standby receive nothing more of what is written from now on.
    func stopReceiving() async throws {
        let written = try await Psql.run("SELECT pg_current_wal_flush_lsn()", on: primary.url)
        try await eventually("the standby has received what there is") {
            try await Psql.run("SELECT pg_last_wal_receive_lsn() >= '\(written)'", on: standby.url) == "t"
        }
        try await Psql.run("ALTER SYSTEM SET primary_conninfo = ''", on: standby.url)
        try await Psql.run("SELECT pg_reload_conf()", on: standby.url)
        try await eventually("the standby receives nothing") {
            try await Psql.run("SELECT count(*) FROM pg_stat_wal_receiver", on: standby.url) == "0"
        }
    }

    /// Kills the primary and lets the standby take its place. Returns how many bytes of WAL are lost.
    ///
    /// - Parameters:
    ///   - away: for how long there is no server.
    ///   - between: what is done when there is none.
    func failOver(away: Duration, between: () -> Void = {}) async throws -> Int {
        let written = try await Psql.run("SELECT pg_current_wal_flush_lsn()", on: primary.url)
        try await primary.kill()
        try await Task.sleep(for: away)
        between()
        let lost = try await Psql.run(
            "SELECT greatest(0, pg_wal_lsn_diff('\(written)', pg_last_wal_receive_lsn()))", on: standby.url)
        try await standby.promote()
        return Int(lost) ?? 0
    }
}

/// Gives the body a pair of servers of its own.
func withServerPair<Value>(
    _ replication: ServerPair.Replication, _ body: (ServerPair) async throws -> Value
) async throws -> Value {
    try await withPrivatePostgres { primary in
        // The standby copies it, and is back soon after a restart of the primary, for which commits wait.
        try await Psql.run("ALTER SYSTEM SET wal_retrieve_retry_interval = '100ms'", on: primary.url)
        return try await primary.withStandby("second") { standby in
            try await body(try await ServerPair(primary: primary, standby: standby, replication))
        }
    }
}
