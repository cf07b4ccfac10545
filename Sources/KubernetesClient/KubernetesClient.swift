internal import Foundation
internal import HTTPClient
public import Prometheus

/// Talks to one cluster's API server.
///
/// Typed access takes a ``KubernetesObject``'s type; untyped access takes a ``ResourceDescriptor`` and gives
/// ``DynamicObject``s. Every method throws ``KubernetesError`` and nothing else, ends early when its task is cancelled
/// (code `cancelled`), and decodes away from the loop and from the caller's actor.
///
/// Answers of 429 and 5xx are tried again a few times, as the server's `Retry-After` says, where that cannot do
/// anything twice. Connections that fail are the caller's to retry.
///
/// Credentials are those of the moment at which a request is sent, also where they are in files or come from a plugin. A
/// watch keeps those with which it began, for as long as it lasts.
public final class KubernetesClient: Sendable {
    /// Which connection requests use.
    public enum Connection: Sendable {
        /// The one to this server that all clients share, over HTTP/2.
        case shared
        /// One that nobody else uses: for the renewal of a lease, which must not wait behind others.
        case own
    }

    /// What a unary request may take, unless it says otherwise.
    public static let defaultTimeout: Duration = .seconds(30)

    public let configuration: ClusterConfiguration
    let timeout: Duration
    let retry: RetryPolicy
    let streamingLists = StreamingLists()
    private let version: String
    private let connection: Connection
    let credentials: CredentialSource
    private let metrics: ClientMetrics
    private let counts: ClientMetrics.Series
    private let mayWrite: @Sendable () -> Bool

    /// - Parameters:
    ///   - version: goes into the `User-Agent`, as `sluice/VERSION`.
    ///   - timeout: for each try of a unary request, in all.
    ///   - metrics: where it counts; by default nobody reads them.
    public convenience init(
        _ configuration: ClusterConfiguration, version: String = "dev", connection: Connection = .shared,
        timeout: Duration = defaultTimeout, metrics: ClientMetrics = ClientMetrics(MetricsRegistry())
    ) {
        self.init(
            configuration, version: version, connection: connection, timeout: timeout, metrics: metrics,
            credentials: CredentialSource(configuration))
    }

    init(
        _ configuration: ClusterConfiguration, version: String, connection: Connection, timeout: Duration,
        metrics: ClientMetrics, credentials: CredentialSource, mayWrite: @escaping @Sendable () -> Bool = { true }
    ) {
        self.configuration = configuration
        self.timeout = timeout
        retry = RetryPolicy()
        self.version = version
        self.connection = connection
        self.credentials = credentials
        self.metrics = metrics
        counts = metrics.series(of: configuration.server)
        self.mayWrite = mayWrite
    }

    /// The same cluster over a connection of its own, with the same credentials.
    public func withOwnConnection(timeout: Duration) -> KubernetesClient {
        KubernetesClient(
            configuration, version: version, connection: .own, timeout: timeout, metrics: metrics,
            credentials: credentials, mayWrite: mayWrite)
    }

    /// The same, for somebody who may write only as long as `condition` holds, such as a leader: it is asked just before each
    /// request that is no GET, which fails with `cancelled` where it does not.
    public func writing(while condition: @escaping @Sendable () -> Bool) -> KubernetesClient {
        KubernetesClient(
            configuration, version: version, connection: connection, timeout: timeout, metrics: metrics,
            credentials: credentials, mayWrite: condition)
    }

    /// A request to the API server.
    struct Call: Sendable {
        var method: String
        var path: String
        var query: [(name: String, value: String)] = []
        var body: [UInt8]?
        var contentType = "application/json"
        /// Whether it may be sent again although the server may have done it.
        var isIdempotent: Bool

        var name: String { "\(method) \(path)" }
    }

    /// What a server made of a request.
    private enum Reply<Answer: Sendable>: Sendable {
        case accepted(Answer, status: Int)
        /// The answer is whole: why.
        case refused(HTTPResponse)

        var status: Int {
            switch self {
            case .accepted(_, let status): status
            case .refused(let response): response.status
            }
        }
    }

    /// Sends a call, and again where that helps. Gives the body of an answer that says yes.
    @concurrent
    func send(_ call: Call) async throws(KubernetesError) -> [UInt8] {
        var tries = 1
        while true {
            guard call.method == "GET" || mayWrite() else {
                throw KubernetesError(.cancelled, "\(call.name) was not sent: whoever asked may not write any more")
            }
            do {
                return try await withCredentials(call) { transport, request throws(HTTPError) in
                    var request = request
                    request.total = timeout
                    let response = try await transport.send(request)
                    return response.status < 400
                        ? .accepted(response.body, status: response.status) : .refused(response)
                }
            } catch {
                guard let status = error.httpStatus,
                    let delay = retry.delay(after: error, tries: tries, isIdempotent: call.isIdempotent)
                else { throw error }
                tries += 1
                counts.retried(call.method, status: status)
                do {
                    try await Task.sleep(for: delay)
                } catch {
                    throw KubernetesError.cancelled
                }
            }
        }
    }

    /// Sends a call and decodes the answer.
    @concurrent
    func send<Value: Decodable & Sendable>(
        _ call: Call, as type: Value.Type
    ) async throws(KubernetesError) -> Value {
        let bytes = try await send(call)
        return try JSONCoding.decode(type, from: bytes, of: "the answer to \(call.name)")
    }

    /// Opens a stream. Not retried: a watch has its own rules.
    @concurrent
    func open(_ call: Call, idle: Duration) async throws(KubernetesError) -> HTTPStream {
        try await withCredentials(call) { transport, request throws(HTTPError) in
            var request = request
            request.idle = idle
            request.mostBytes = 64 << 20
            let stream = try await transport.open(request)
            guard stream.status >= 400 else { return .accepted(stream, status: stream.status) }
            return .refused(
                HTTPResponse(status: stream.status, headers: stream.headers, body: try await stream.rest()))
        }
    }

    /// Sends a call with the credentials of now; once again with newer ones, if these are not accepted and there are any.
    private func withCredentials<Answer: Sendable>(
        _ call: Call, _ send: (HTTPTransport, HTTPRequest) async throws(HTTPError) -> Reply<Answer>
    ) async throws(KubernetesError) -> Answer {
        var present = try await credentials.current()
        var isRenewed = false
        while true {
            let failure: KubernetesError
            let start = ContinuousClock.now
            do {
                let reply = try await send(transport(present), request(call, present))
                counts.sent(call.method, status: reply.status, after: .now - start)
                switch reply {
                case .accepted(let answer, _): return answer
                case .refused(let response): failure = Self.error(response, call)
                }
            } catch {
                if error.code != .cancelled { counts.sent(call.method, status: nil, after: .now - start) }
                failure = KubernetesError(error)
            }
            guard failure.code == .unauthorized || failure.code == .certificate, !isRenewed,
                let newer = try await credentials.renewed(
                    after: present, isRefused: failure.code == .unauthorized)
            else { throw failure }
            if let status = failure.httpStatus { counts.retried(call.method, status: status) }
            present = newer
            isRenewed = true
        }
    }

    private func transport(_ credentials: Credentials) -> HTTPTransport {
        HTTPTransport(
            userAgent: "sluice/\(version)", tls: credentials.tls,
            proxy: configuration.proxy.map { .url($0) } ?? .environment, usesOwnConnection: connection == .own)
    }

    private func request(_ call: Call, _ credentials: Credentials) -> HTTPRequest {
        var url = configuration.server + call.path
        if !call.query.isEmpty {
            url += "?" + call.query.map { "\($0.name)=\($0.value.pathEscaped)" }.joined(separator: "&")
        }
        var request = HTTPRequest(method: call.method, url: url, body: call.body)
        request.isIdempotent = call.isIdempotent
        request.headers = [("Accept", "application/json")]
        if call.body != nil { request.headers.append(("Content-Type", call.contentType)) }
        if let authorization = credentials.authorization {
            request.headers.append(("Authorization", authorization))
        }
        request.headers += configuration.impersonation?.headers ?? []
        return request
    }

    private static func error(_ response: HTTPResponse, _ call: Call) -> KubernetesError {
        let status = (try? JSONCoding.decode(Status.self, from: response.body, of: "a status")) ?? Status()
        return KubernetesError(
            status: status, httpStatus: response.status, retryAfter: response.retryAfter(at: Date()), request: call.name
        )
    }
}
