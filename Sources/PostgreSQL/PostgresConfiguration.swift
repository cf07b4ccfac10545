/// Where a database is and how to speak to it.
///
/// Holds the password, and shows it nowhere.
public struct PostgresConfiguration: Sendable, CustomStringConvertible {
    /// Who wrote the URL.
    public enum Origin: Sendable {
        /// Whoever runs this program: every parameter of libpq is accepted, and its environment variables count.
        case operatorOwned
        /// Somebody else: only parameters that name no file, service or socket of this machine are accepted, and libpq's
        /// environment variables do not count.
        case tenant
    }

    /// What sessions are called in `pg_stat_activity`: `sluice/…`. It wins over the URL's.
    public var applicationName: String

    /// Run-time parameters that each session starts with, such as `("lock_timeout", "2s")`.
    public var settings: [(String, String)] = []

    /// How long a connection may take to make, over all hosts; the URL's `connect_timeout`, of a tenant's
    /// 30 seconds at most, else 10 seconds.
    public var connectTimeout: Duration

    /// How long the server may take to answer whatever it is asked at once, when a session is given up. Nil waits for as long
    /// as the connection lives, and a server that is frozen keeps it alive.
    public var answerTimeout: Duration?

    /// When sessions are given up, whatever they do, and none is made any more. Nil: never.
    public var deadline: ContinuousClock.Instant?

    /// Where whoever runs this puts the password, for the message that it is missing or wrong.
    public var passwordPlace = "the database URL"

    let hosts: [DatabaseHost]
    let parameters: Secret<ConnectionParameters>

    public let database: String
    public let user: String

    /// What a tenant's `connect_timeout` can be at most.
    private static let mostTenantConnectSeconds = 30

    /// Reads a URL (`postgresql://user:password@host:port/database?parameters`).
    ///
    /// Throws `configuration` when it cannot be read, or says what `origin` may not. Touches no network.
    public init(url: String, origin: Origin, applicationName: String) throws(PostgresError) {
        var parameters = try ConnectionParameters(parsing: url)
        switch origin {
        case .operatorOwned: parameters.fillFromEnvironment()
        case .tenant: try parameters.confineToTenant()
        }
        let seconds = parameters.values["connect_timeout"].flatMap { Int($0) } ?? 0
        // A tenant's database that is silent must not keep a worker that others wait for.
        let most = origin == .tenant ? Self.mostTenantConnectSeconds : .max
        connectTimeout = .seconds(min(seconds > 0 ? seconds : 10, most))
        hosts = try DatabaseHost.list(parameters.values)
        user = parameters.values["user"] ?? ""
        database = parameters.values["dbname"].flatMap { $0.isEmpty ? nil : $0 } ?? user
        self.parameters = Secret(parameters)
        self.applicationName = applicationName
    }

    /// The hosts as the URL lists them, by comma; empty for the default local socket.
    public var host: String {
        hosts.map(\.name).joined(separator: ",")
    }

    /// The port of the first host.
    public var port: Int {
        hosts[0].port
    }

    /// `postgresql://user@host:port/database`: no password, no parameters.
    public var description: String {
        "postgresql://\(user)@\(endpoints)/\(database)"
    }

    /// `host:port/database`, for what is kept per database.
    public var identity: String {
        "\(endpoints)/\(database)"
    }

    /// `host:port` of each host.
    var endpoints: String {
        hosts.map { "\($0.name.isEmpty ? "localhost" : $0.name):\($0.port)" }.joined(separator: ",")
    }

    /// What `PQconnectStart` is given, once the hosts' addresses are known. It contains the password.
    func connectionString(_ hosts: [DatabaseHost]) -> String {
        var overrides = [
            "application_name": applicationName,
            "client_encoding": "UTF8",
            "options": options,
            "host": hosts.map(\.name).joined(separator: ","),
            "hostaddr": hosts.map { $0.address ?? "" }.joined(separator: ","),
            "port": hosts.map { String($0.port) }.joined(separator: ","),
        ]
        // A server that is gone without a word is noticed within half a minute.
        let probes = [
            "keepalives": "1", "keepalives_idle": "10", "keepalives_interval": "5", "keepalives_count": "3",
            "tcp_user_timeout": "25000",
        ]
        for (keyword, value) in probes where parameters.revealed.values[keyword, default: ""].isEmpty {
            overrides[keyword] = value
        }
        return parameters.revealed.connectionString(overrides)
    }

    /// The settings as switches of the server's command line, in which a backslash escapes a space.
    private var options: String {
        let given = parameters.revealed.values["options", default: ""]
        let switches = settings.map { name, value in
            "-c \(name)=" + value.replacing("\\", with: "\\\\").replacing(" ", with: "\\ ")
        }
        return (given.isEmpty ? switches : [given] + switches).joined(separator: " ")
    }
}
