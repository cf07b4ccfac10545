internal import PostgreSQL

/// Which server, and which history of it. A proof and a fence hold for one only: a clone that was restored from a backup,
/// or a standby that was promoted, inherits neither.
struct ServerIdentity: Codable, Hashable, Sendable {
    /// `initdb` made it up; physical copies share it.
    let systemIdentifier: String
    let timeline: Int
    let database: String

    static func read(_ connection: PostgresConnection) async throws -> ServerIdentity {
        let row = try await connection.query(
            """
            SELECT system_identifier::text, current_database() AS database,
                ('x' || left(pg_walfile_name(pg_current_wal_lsn()), 8))::bit(32)::int AS timeline
            FROM pg_control_system()
            """
        ).row()
        return ServerIdentity(
            systemIdentifier: try row.text("system_identifier"),
            timeline: Int(try row.integer("timeline")),
            database: try row.text("database")
        )
    }
}
