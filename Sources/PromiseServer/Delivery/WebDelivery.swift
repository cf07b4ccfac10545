public import DurablePromises
internal import HTTPClient
public import Logging

/// Posts messages to addresses that begin with `http://` or `https://`.
///
/// Only a status of 200 to 299 means that a message was taken; a redirection is not followed, for it might lead anywhere.
/// One that was not taken is delivered again later.
public struct WebDelivery: MessageWebhook {
    private let url: String?
    private let hosts: Set<String>?
    private let timeout: Duration
    private let transport = HTTPTransport(userAgent: "sluice")
    private let metrics: ServerMetrics
    private let logger: Logger

    /// - Parameters:
    ///   - url: what the messages call the server.
    ///   - hosts: the hosts that messages may be posted to, as `name` or `name:port`; nil means any. Whoever may create a
    ///     promise names its address, which may be one that only the server can reach.
    ///   - timeout: for one message, in all.
    public init(
        url: String?,
        hosts: Set<String>? = nil,
        timeout: Duration = .seconds(5),
        metrics: ServerMetrics,
        logger: Logger
    ) {
        self.url = url
        self.hosts = hosts.map { Set($0.map { $0.lowercased() }) }
        self.timeout = timeout
        self.metrics = metrics
        self.logger = logger
    }

    public func deliver(_ message: PromiseMessage, to address: String) async -> Bool {
        metrics.took(message)
        guard isAllowed(address) else {
            metrics.delivered("refused")
            logger.debug("a message's address is not among those that are allowed")
            return false
        }
        var request = HTTPRequest(
            method: "POST",
            url: address,
            headers: [("Content-Type", "application/json")],
            body: message.json(serverURL: url),
            total: timeout
        )
        request.mostBytes = 1 << 20
        // A message may come twice in any case.
        request.isIdempotent = true
        do {
            let answer = try await transport.send(request)
            let isTaken = (200..<300).contains(answer.status)
            metrics.delivered(isTaken ? "delivered" : answer.status == 410 ? "gone" : "failed")
            if !isTaken { logger.debug("a message was not taken", metadata: ["status": "\(answer.status)"]) }
            return isTaken
        } catch {
            metrics.delivered("failed")
            logger.debug("a message was not delivered", metadata: ["error": "\(error)"])
            return false
        }
    }

    private func isAllowed(_ address: String) -> Bool {
        guard let hosts else { return true }
        guard let host = Self.host(of: address) else { return false }
        return hosts.contains(host) || hosts.contains(host.withoutPort)
    }

    /// The host, with the port where one is given, in lower case; nil when there is anything about it that two programs
    /// might read differently.
    static func host(of address: String) -> String? {
        guard let scheme = address.firstRange(of: "://") else { return nil }
        let authority = address[scheme.upperBound...].prefix { !"/?#".contains($0) }
        guard !authority.isEmpty, !authority.contains(where: { "@\\%".contains($0) }) else { return nil }
        return authority.lowercased()
    }
}

extension String {
    /// A host without `:port`; that of an IPv6 address in brackets is told from the address.
    fileprivate var withoutPort: String {
        guard let colon = lastIndex(of: ":"), self[index(after: colon)...].allSatisfy(\.isNumber) else { return self }
        return String(self[..<colon])
    }
}
