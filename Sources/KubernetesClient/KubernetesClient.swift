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
    private let version: String
    private let transport: HTTPTransport
    private let credentials: CredentialSource
    private let metrics: ClientMetrics
    private let counts: ClientMetrics.Series

    /// - Parameters:
    ///   - version: goes into the `User-Agent`, as `sluice/VERSION`.
    ///   - timeout: for each try of a unary request, in all.
    ///   - metrics: where it counts; by default nobody reads them.
    public init(
        _ configuration: ClusterConfiguration, version: String = "dev", connection: Connection = .shared,
        timeout: Duration = defaultTimeout, metrics: ClientMetrics = ClientMetrics(MetricsRegistry())
    ) {
        self.configuration = configuration
        self.timeout = timeout
        retry = RetryPolicy()
        self.version = version
        transport = HTTPTransport(
            userAgent: "sluice/\(version)", tls: configuration.tls, usesOwnConnection: connection == .own)
        credentials = CredentialSource(configuration.credential)
        self.metrics = metrics
        counts = metrics.series(of: configuration.server)
    }

    /// The same cluster over a connection of its own.
    public func withOwnConnection(timeout: Duration) -> KubernetesClient {
        KubernetesClient(configuration, version: version, connection: .own, timeout: timeout, metrics: metrics)
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

    /// Sends a call, and again where that helps. Gives the body of an answer that says yes.
    @concurrent
    func send(_ call: Call) async throws(KubernetesError) -> [UInt8] {
        var hasNewCredential = false
        var tries = 1
        while true {
            let request = try request(call, total: timeout)
            let start = ContinuousClock.now
            let response: HTTPResponse
            do {
                response = try await transport.send(request)
            } catch {
                if error.code != .cancelled { counts.sent(call.method, status: nil, after: .now - start) }
                throw KubernetesError(error)
            }
            counts.sent(call.method, status: response.status, after: .now - start)
            guard response.status >= 400 else { return response.body }
            let error = Self.error(response.status, response.headers, response.body, call)
            if error.code == .unauthorized, !hasNewCredential, credentials.refused() {
                hasNewCredential = true
                counts.retried(call.method, status: response.status)
                continue
            }
            guard let delay = retry.delay(after: error, tries: tries, isIdempotent: call.isIdempotent) else {
                throw error
            }
            tries += 1
            counts.retried(call.method, status: response.status)
            do {
                try await Task.sleep(for: delay)
            } catch {
                throw KubernetesError.cancelled
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
        var hasNewCredential = false
        while true {
            var request = try request(call, total: nil)
            request.idle = idle
            request.mostBytes = 64 << 20
            let stream: HTTPStream
            let start = ContinuousClock.now
            do {
                stream = try await transport.open(request)
            } catch {
                if error.code != .cancelled { counts.sent(call.method, status: nil, after: .now - start) }
                throw KubernetesError(error)
            }
            counts.sent(call.method, status: stream.status, after: .now - start)
            guard stream.status >= 400 else { return stream }
            let body: [UInt8]
            do {
                body = try await stream.rest()
            } catch {
                throw KubernetesError(error)
            }
            let error = Self.error(stream.status, stream.headers, body, call)
            guard error.code == .unauthorized, !hasNewCredential, credentials.refused() else { throw error }
            hasNewCredential = true
            counts.retried(call.method, status: stream.status)
        }
    }

    private func request(_ call: Call, total: Duration?) throws(KubernetesError) -> HTTPRequest {
        var url = configuration.server + call.path
        if !call.query.isEmpty {
            url += "?" + call.query.map { "\($0.name)=\($0.value.pathEscaped)" }.joined(separator: "&")
        }
        var request = HTTPRequest(method: call.method, url: url, body: call.body, total: total)
        request.isIdempotent = call.isIdempotent
        request.headers = [("Accept", "application/json")]
        if call.body != nil { request.headers.append(("Content-Type", call.contentType)) }
        if let authorization = try credentials.authorization() {
            request.headers.append(("Authorization", authorization))
        }
        return request
    }

    private static func error(
        _ httpStatus: Int, _ headers: [String: String], _ body: [UInt8], _ call: Call
    ) -> KubernetesError {
        let status = (try? JSONCoding.decode(Status.self, from: body, of: "a status")) ?? Status()
        let seconds = headers["retry-after"].flatMap { Int($0) }
        return KubernetesError(
            status: status, httpStatus: httpStatus, retryAfter: seconds.map { .seconds($0) }, request: call.name)
    }
}
