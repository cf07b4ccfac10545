internal import Hummingbird
internal import KubernetesClient
internal import Logging
internal import MigrationOperator

/// Answers who asks for a gate, such as an analysis of Argo Rollouts, from the Migration as the API server has it at that
/// moment. What it cannot know is closed.
struct GateDesk: Sendable {
    /// Answers that are looked for at the same time. Each is one read of one object.
    private static let mostAtOnce = 32
    private static let timeLimit: Duration = .seconds(5)

    private let client: KubernetesClient
    private let logger: Logger
    private let limit = ConcurrencyLimit(mostAtOnce)

    init(client: KubernetesClient, logger: Logger) {
        self.client = client
        self.logger = logger
    }

    func answer(_ key: ObjectKey) async -> Response {
        do {
            let client = client
            let found = try await limit.run {
                try await within(Self.timeLimit) { try await Found(client.find(Migration.self, key)) }
            }
            guard let found else {
                return Self.unknown("TooManyRequests", "too many ask at the same time; try again")
            }
            let isThere = found.migration.map { !$0.metadata.isBeingDeleted } ?? false
            return Response(GateAnswer(found.migration), status: isThere ? .ok : .notFound)
        } catch {
            logger.warning(
                "a gate could not be looked at", metadata: ["migration": "\(key)", "error": "\(error)"])
            return Self.unknown("Unknown", "the API server cannot be asked at present")
        }
    }

    /// Unlike nil, which says that nobody looked.
    private struct Found: Sendable {
        let migration: Migration?

        init(_ migration: Migration?) {
            self.migration = migration
        }
    }

    private static func unknown(_ reason: String, _ message: String) -> Response {
        var response = Response(GateAnswer(reason: reason, message: message), status: .serviceUnavailable)
        response.headers[.retryAfter] = "1"
        return response
    }
}

extension Response {
    fileprivate init(_ answer: GateAnswer, status: HTTPResponse.Status) {
        let text = (try? JSONValue(encoding: answer))?.text ?? "{}"
        self.init(text + "\n", type: "application/json", status: status)
        // An answer of a moment ago must not open a gate.
        headers[.cacheControl] = "no-store"
    }
}
