public import DurablePromises
public import HTTPClient
public import Logging

/// Asks a promise server by HTTP: `POST /` for requests, `GET /poll/{group}/{id}` for messages.
///
/// Connections are kept and several requests go at once. A request that gets no answer throws a `PromiseError` with the code
/// `unavailable`, and is not repeated here, nor by the transport: nobody knows then whether it took effect.
public struct HTTPPromiseClient: PromiseClient {
    private let url: String
    private let token: Token?
    private let timeout: Duration
    private let transport: HTTPTransport
    private let backoff: PollBackoff
    private let logger: Logger

    /// - Parameters:
    ///   - url: such as `http://127.0.0.1:8001`.
    ///   - token: sent as `Authorization: Bearer`; never shown.
    ///   - timeout: for one request, in all.
    ///   - random: from 0 up to 1, for the pauses between two attempts to connect.
    public init(
        url: String,
        token: String? = nil,
        tls: TLSSettings = TLSSettings(),
        timeout: Duration = .seconds(30),
        random: @escaping @Sendable () -> Double = { Double.random(in: 0..<1) },
        logger: Logger
    ) {
        self.url = url.hasSuffix("/") ? String(url.dropLast()) : url
        self.token = token.map { Token(value: $0) }
        self.timeout = timeout
        transport = HTTPTransport(userAgent: "sluice", tls: tls)
        backoff = PollBackoff(random: random)
        self.logger = logger
    }

    // MARK: Requests

    public func process(_ request: Request) async throws -> Response {
        let post = HTTPRequest(
            method: "POST",
            url: url + "/",
            headers: headers(["Content-Type": "application/json"]),
            body: request.json,
            total: timeout
        )
        let answer: HTTPResponse
        do {
            answer = try await transport.send(post)
        } catch {
            if error.code == .cancelled { throw CancellationError() }
            throw PromiseError(.unavailable, "the promise server does not answer: \(error.message)")
        }
        do {
            return try Response(json: answer.body)
        } catch {
            // Something else answered, such as a proxy.
            guard answer.status != 200 else { throw error }
            throw PromiseError(.unavailable, "\(post.name) was answered with HTTP status \(answer.status)")
        }
    }

    /// Requests about different promises go at the same time, those about one promise one after the other.
    public func process(_ requests: [Request]) async throws -> [Response] {
        guard requests.count > 1 else { return try await process(requests, at: requests.indices.map { $0 }).map(\.1) }
        let lanes = Dictionary(grouping: requests.indices) { requests[$0].operation.promise }
        return try await withThrowingTaskGroup(of: [(Int, Response)].self) { group in
            var waiting = lanes.values.sorted { $0[0] < $1[0] }[...]
            for lane in waiting.prefix(Self.mostAtOnce) { group.addTask { try await process(requests, at: lane) } }
            waiting = waiting.dropFirst(Self.mostAtOnce)
            var answers: [(Int, Response)] = []
            while let answered = try await group.next() {
                answers += answered
                if let lane = waiting.popFirst() { group.addTask { try await process(requests, at: lane) } }
            }
            return answers.sorted { $0.0 < $1.0 }.map(\.1)
        }
    }

    private static let mostAtOnce = 32

    private func process(_ requests: [Request], at lane: [Int]) async throws -> [(Int, Response)] {
        var answers: [(Int, Response)] = []
        for index in lane { answers.append((index, try await process(requests[index]))) }
        return answers
    }

    private func headers(_ fields: [String: String]) -> [(name: String, value: String)] {
        var headers = fields.map { (name: $0.key, value: $0.value) }
        if let token { headers.append(("Authorization", "Bearer \(token.value)")) }
        return headers
    }

    // MARK: Messages

    public func messages(group: String, id: String) -> AsyncStream<PromiseMessage> {
        AsyncStream { continuation in
            // It ends when nobody takes messages any more.
            let task = Task {
                await poll(group: group, id: id) { continuation.yield($0) }
                continuation.finish()
            }
            continuation.onTermination = { _ in task.cancel() }
        }
    }

    /// Connects again and again, until the task is cancelled.
    private func poll(group: String, id: String, _ take: (PromiseMessage) -> Void) async {
        let clock = ContinuousClock()
        var failures = 0
        while !Task.isCancelled {
            let began = clock.now
            var wasOfUse = false
            do {
                try await receive(group: group, id: id) { message in
                    wasOfUse = true
                    take(message)
                }
            } catch {
                if Task.isCancelled { return }
                logger.log(
                    level: failures == 0 ? .notice : .debug,
                    "no messages from the promise server; trying again",
                    metadata: ["error": "\(error)"]
                )
            }
            // A server may end a stream at any time; one that was of use is opened again at once.
            failures = wasOfUse || clock.now - began > .seconds(5) ? 0 : failures + 1
            try? await clock.sleep(for: backoff.pause(failures: failures))
        }
    }

    private func receive(group: String, id: String, _ take: (PromiseMessage) -> Void) async throws {
        let place = "/poll/\(Self.escaped(group))/\(Self.escaped(id))"
        let request = HTTPRequest(
            method: "GET",
            url: url + place,
            headers: headers(["Accept": "text/event-stream"]),
            idle: .seconds(300)
        )
        let stream = try await transport.open(request)
        guard stream.status == 200 else {
            throw PromiseError(.unavailable, "\(request.name) was answered with HTTP status \(stream.status)")
        }
        var events = ServerSentEvents()
        while let bytes = try await stream.bytes() {
            events.append(bytes)
            while let event = try events.next() {
                do {
                    take(try PromiseMessage(json: event))
                } catch {
                    logger.warning("a message that is none", metadata: ["error": "\(error)"])
                }
            }
        }
    }

    private static let unreserved = Set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~".utf8)

    /// For one segment of a path (RFC 3986, unreserved characters).
    private static func escaped(_ text: String) -> String {
        var result = ""
        for byte in text.utf8 {
            if unreserved.contains(byte) {
                result.unicodeScalars.append(Unicode.Scalar(byte))
            } else {
                let digits = String(byte, radix: 16, uppercase: true)
                result += "%" + (digits.utf8.count == 1 ? "0" + digits : digits)
            }
        }
        return result
    }
}

/// A secret, which no description and no mirror shows.
private struct Token: Sendable, CustomStringConvertible, CustomReflectable {
    let value: String

    var description: String { "a token" }
    var customMirror: Mirror { Mirror(self, children: []) }
}

extension PromiseOperation {
    /// The promise that is changed, or asked for.
    fileprivate var promise: String {
        switch self {
        case .fence(_, let action): action.operation.promise
        default: promiseIDs.min() ?? ""
        }
    }
}
