internal import CPostgres

/// The keywords of a libpq connection, as a URL gives them, and the rules for URLs of other people's making.
///
/// See "Database Connection Control Functions" in PostgreSQL's manual for the keywords.
struct ConnectionParameters: Sendable {
    var values: [String: String]

    /// All keywords that this libpq knows.
    let keywords: [String]

    private static let malformed = """
        the database URL cannot be read: it should look like postgresql://user:password@host:5432/database, with each of \
        %, /, ?, #, @ and : in the password percent-encoded
        """

    /// Parses a URL, or a string of `keyword=value` pairs. libpq's own words for what is wrong may quote a part of the
    /// password, so they are not passed on.
    init(parsing url: String) throws(PostgresError) {
        guard !Self.hasStrayAt(url) else { throw PostgresError(.configuration, Self.malformed) }
        var problem: UnsafeMutablePointer<CChar>?
        let parsed = PQconninfoParse(url, &problem)
        PQfreemem(problem)
        guard let parsed else { throw PostgresError(.configuration, Self.malformed) }
        (keywords, values) = Self.read(parsed)
        let ports = values["port", default: ""].split(separator: ",")
        guard ports.allSatisfy({ UInt16($0).map { $0 > 0 } ?? false }) else {
            throw PostgresError(.configuration, Self.malformed)
        }
    }

    /// Adds what libpq would take from the operator's environment.
    mutating func fillFromEnvironment() {
        guard let defaults = PQconndefaults() else { return }
        values.merge(Self.read(defaults).1) { given, _ in given }
    }

    private static func read(_ options: UnsafeMutablePointer<PQconninfoOption>) -> ([String], [String: String]) {
        defer { PQconninfoFree(options) }
        var keywords: [String] = []
        var values: [String: String] = [:]
        var option = options
        while let keyword = option.pointee.keyword {
            keywords.append(String(cString: keyword))
            values[String(cString: keyword)] = option.pointee.val.map { String(cString: $0) }
            option += 1
        }
        return (keywords, values)
    }

    /// Whether an `@` stands where libpq would make a part of the password the host or the database.
    private static func hasStrayAt(_ url: String) -> Bool {
        guard let scheme = url.firstRange(of: "://") else { return false }
        let rest = url[scheme.upperBound...]
        let authority = rest.prefix { $0 != "/" }
        return authority.count { $0 == "@" } > 1 || rest[authority.endIndex...].contains("@")
    }

    // MARK: Other people's URLs

    /// What a tenant's URL may say. None of these names a file, a service or an identity of the operator's.
    private static let allowed: Set<String> = [
        "host", "hostaddr", "port", "user", "password", "dbname", "sslmode", "sslrootcert", "application_name",
        "connect_timeout", "keepalives", "keepalives_idle", "keepalives_interval", "keepalives_count",
        "tcp_user_timeout", "target_session_attrs", "channel_binding", "require_auth", "sslsni",
        "ssl_min_protocol_version", "ssl_max_protocol_version", "client_encoding", "load_balance_hosts",
    ]

    /// A file that is on no machine. An empty value would make libpq look in the operator's home.
    private static let noFile = "/dev/null/none"

    /// What each keyword is when a tenant's URL is silent, instead of the environment's. All others are empty.
    private static let pinned = [
        "port": "5432", "sslmode": "prefer", "channel_binding": "prefer", "target_session_attrs": "any",
        "passfile": noFile, "sslcert": noFile, "sslkey": noFile, "sslrootcert": noFile, "sslcrl": noFile,
        "sslcertmode": "disable", "sslnegotiation": "postgres", "sslcompression": "0", "sslsni": "1",
        "ssl_min_protocol_version": "TLSv1.2", "gssencmode": "disable", "krbsrvname": "postgres", "gssdelegation": "0",
        "load_balance_hosts": "disable",
    ]

    /// Refuses what a tenant may not say, and says everything else explicitly, so that nothing of the operator's
    /// environment or home fills a gap.
    mutating func confineToTenant() throws(PostgresError) {
        for keyword in values.keys.sorted() where !Self.allowed.contains(keyword) {
            throw PostgresError(
                .configuration,
                "the database URL may not set \(keyword): it would name something of the operator's"
            )
        }
        let hosts = values["host", default: ""].split(separator: ",", omittingEmptySubsequences: false)
        guard hosts.allSatisfy({ !$0.isEmpty && $0.first != "/" && $0.first != "@" }) else {
            throw PostgresError(.configuration, "the database URL must name a host, which is not a local socket")
        }
        guard let user = values["user"], !user.isEmpty else {
            throw PostgresError(.configuration, "the database URL names no user")
        }
        try trustSystem()
        if values["dbname", default: ""].isEmpty { values["dbname"] = user }
        for keyword in keywords where keyword != "service" && values[keyword] == nil {
            values[keyword] = Self.pinned[keyword] ?? ""
        }
    }

    /// The authorities that the system trusts, for tenants: the only ones there are besides the operator's own.
    private mutating func trustSystem() throws(PostgresError) {
        let mode = values["sslmode"]
        if let authorities = values["sslrootcert"] {
            guard authorities == "system" else {
                throw PostgresError(
                    .configuration,
                    "the database URL may not set sslrootcert to a file; only to system"
                )
            }
            guard mode == nil || mode == "verify-full" else {
                throw PostgresError(.configuration, "sslrootcert=system in the database URL needs sslmode=verify-full")
            }
            values["sslmode"] = "verify-full"
        } else if mode != "verify-full" && mode != "verify-ca" {
            return
        }
        values["sslrootcert"] = Self.systemAuthorities
    }

    /// libpq knows `system` from version 16 on; before, it needs the file.
    private static let systemAuthorities =
        PQlibVersion() >= 160_000 ? "system" : "/etc/ssl/certs/ca-certificates.crt"

    // MARK: What libpq is given

    /// The string for `PQconnectStart`. Unlike its arrays it keeps an empty value, which is not the same as none.
    func connectionString(_ overrides: [String: String]) -> String {
        values.merging(overrides) { $1 }.sorted { $0.key < $1.key }.map { keyword, value in
            let escaped = value.replacing("\\", with: "\\\\").replacing("'", with: "\\'")
            return "\(keyword)='\(escaped)'"
        }.joined(separator: " ")
    }
}
