import ArgumentParser
import PostgreSQL

/// Where the database is, without a password on the command line, where every user of the machine could read it.
struct DatabaseOptions: ParsableArguments {
    @Option(
        name: .long,
        help: ArgumentHelp(
            "The database, as postgresql://user@host:port/name; else $SLUICE_DATABASE_URL.",
            discussion: "A password belongs in the environment or in $PGPASSFILE, not in an argument.",
            valueName: "url"
        )
    )
    var databaseURL: String?

    func validate() throws {
        try PasswordArgument.refuse(
            databaseURL, instead: "SLUICE_DATABASE_URL, or the password into a file that PGPASSFILE names")
    }

    /// - Parameter applicationName: what the sessions are called in `pg_stat_activity`.
    func configuration(_ applicationName: String = "sluice/cli") throws -> PostgresConfiguration {
        // An empty one would be all of libpq's defaults.
        guard let url = databaseURL ?? EnvironmentSetting.text("SLUICE_DATABASE_URL"), !url.isEmpty else {
            throw ValidationError("no database: give --database-url, or set SLUICE_DATABASE_URL")
        }
        var configuration = try PostgresConfiguration(
            url: url, origin: .operatorOwned, applicationName: applicationName)
        configuration.passwordPlace = "SLUICE_DATABASE_URL, or in a file that PGPASSFILE names"
        return configuration
    }
}
