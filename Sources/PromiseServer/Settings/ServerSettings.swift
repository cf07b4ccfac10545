/// How a ``PromiseServer`` works.
public struct ServerSettings: Sendable {
    public var listen: ListenAddress
    /// Where `/metrics` is served; nil means with everything else.
    public var metricsListen: ListenAddress?
    /// What messages call the server, for workers that reach it by another name than the one by which they asked.
    public var url: String?
    public var limits: ServerLimits
    /// Who may do what; nil lets everybody do everything but `debug.*`.
    public var authenticator: Authenticator?
    /// Takes `debug.*` and the time from requests, of administrators.
    public var isDebugging: Bool
    /// Threads that read, decide and write. Of more than there are cores nothing is gained.
    public var threads: Int

    public init(
        listen: ListenAddress,
        metricsListen: ListenAddress? = nil,
        url: String? = nil,
        limits: ServerLimits = ServerLimits(),
        authenticator: Authenticator? = nil,
        isDebugging: Bool = false,
        threads: Int = 1
    ) {
        self.listen = listen
        self.metricsListen = metricsListen
        self.url = url
        self.limits = limits
        self.authenticator = authenticator
        self.isDebugging = isDebugging
        self.threads = threads
    }
}
