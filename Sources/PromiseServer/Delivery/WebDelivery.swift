public import DurablePromises
internal import HTTPClient
public import Logging
internal import Synchronization

/// Posts messages to addresses that begin with `http://` or `https://`.
///
/// Only a status of 200 to 299 means that a message was taken; a redirection is not followed, for it might lead anywhere.
/// One that was not taken is delivered again later. The log tells once of a host to which deliveries begin to fail, and once
/// when they arrive again; nothing of an address but its host, for the rest may be secret.
public final class WebDelivery: MessageWebhook {
    private let url: String?
    private let hosts: Set<PushHost>?
    private let timeout: Duration
    private let transport = HTTPTransport(userAgent: "sluice")
    private let metrics: ServerMetrics
    private let logger: Logger
    private let failing = Mutex(FailingHosts())

    /// - Parameters:
    ///   - url: what the messages call the server.
    ///   - hosts: the hosts that messages may be posted to; nil means any. Whoever may create a promise names its address,
    ///     which may be one that only the server can reach.
    ///   - timeout: for one message, in all.
    public init(
        url: String?,
        hosts: Set<PushHost>? = nil,
        timeout: Duration = .seconds(5),
        metrics: ServerMetrics,
        logger: Logger
    ) {
        self.url = url
        self.hosts = hosts
        self.timeout = timeout
        self.metrics = metrics
        self.logger = logger
    }

    public func deliver(_ message: PromiseMessage, to address: String) async -> Bool {
        metrics.took(message)
        let host = PushHost(of: address)
        guard isAllowed(host) else {
            metrics.delivered("refused")
            tell(host, "messages are for a host that is not among the push hosts: they wait")
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
            if isTaken {
                tellAgain(host)
            } else {
                tell(host, "messages are not taken: they wait, and are sent again", ["status": "\(answer.status)"])
            }
            return isTaken
        } catch {
            metrics.delivered("failed")
            // The server's own end is not the host's fault. Of the others only the kind: the words may quote the address.
            if error.code != .cancelled {
                tell(host, "messages cannot be delivered: they wait, and are sent again", ["error": "\(error.code)"])
            }
            return false
        }
    }

    private func isAllowed(_ host: PushHost?) -> Bool {
        guard let hosts else { return true }
        guard let host else { return false }
        return hosts.contains(host) || hosts.contains(host.anyPort)
    }

    /// Warns of a host, unless it was warned of already.
    private func tell(_ host: PushHost?, _ words: Logger.Message, _ metadata: Logger.Metadata = [:]) {
        let metadata = metadata.merging(["host": "\(host ?? .unreadable)"]) { $1 }
        let isNew = failing.withLock { $0.fails(host ?? .unreadable) }
        logger.log(level: isNew ? .warning : .debug, words, metadata: metadata)
    }

    private func tellAgain(_ host: PushHost?) {
        guard failing.withLock({ $0.works(host ?? .unreadable) }) else { return }
        logger.notice("messages are taken again", metadata: ["host": "\(host ?? .unreadable)"])
    }
}
