import ArgumentParser
import Foundation
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
        if let databaseURL, Self.hasPassword(databaseURL) {
            throw ValidationError(
                "a password in an argument can be read by everybody on this machine; "
                    + "put the URL into SLUICE_DATABASE_URL, or the password into a file that PGPASSFILE names"
            )
        }
    }

    func configuration() throws -> PostgresConfiguration {
        guard let url = databaseURL ?? ProcessInfo.processInfo.environment["SLUICE_DATABASE_URL"] else {
            throw ValidationError("no database: give --database-url, or set SLUICE_DATABASE_URL")
        }
        return try PostgresConfiguration(url: url, origin: .operatorOwned, applicationName: "sluice/cli")
    }

    /// `user:password@` in the authority, or a parameter called password, of a URL or of keyword and value pairs.
    static func hasPassword(_ text: String) -> Bool {
        if let scheme = text.range(of: "://") {
            let authority = text[scheme.upperBound...].prefix { $0 != "/" && $0 != "?" }
            if let at = authority.lastIndex(of: "@"), authority[..<at].contains(":") { return true }
        }
        return text.range(of: "password=", options: .caseInsensitive) != nil
            || text.range(of: "password =", options: .caseInsensitive) != nil
    }
}
