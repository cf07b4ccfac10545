internal import Hummingbird
internal import HummingbirdCore
internal import KubernetesClient
internal import MigrationOperator
internal import NIOCore

/// Answers the API server's reviews: reads one, lets ``decideAdmission(_:)`` decide, writes the answer. It looks at nothing
/// else, so that any replica answers at once, and a dry run as any other request.
struct AdmissionDesk: Sendable {
    /// An object has at most 1.5 MB in etcd's default; a review carries two of them, as JSON.
    static let mostBytes = 7 << 20
    /// How long a review's body may take to arrive. The API server waits no longer either.
    private let timeLimit: Duration
    private static let mostAtOnce = 64

    private let limit = ConcurrencyLimit(mostAtOnce)
    private let account: @Sendable () -> String?

    /// - Parameter account: as whom the operator writes; nil while that is not known.
    init(timeLimit: Duration = .seconds(5), account: @escaping @Sendable () -> String? = { nil }) {
        self.timeLimit = timeLimit
        self.account = account
    }

    func answer(_ request: Request) async -> Response {
        await limit.run { await read(request) }
            ?? Response(text: "too many reviews at the same time", status: .serviceUnavailable)
    }

    private func read(_ request: Request) async -> Response {
        let body: ByteBuffer
        do {
            body = try await within(timeLimit) {
                var request = request
                return try await request.collectBody(upTo: Self.mostBytes)
            }
        } catch is TimeIsOver {
            return Response(text: "the review did not arrive within \(timeLimit)", status: .requestTimeout)
        } catch is NIOTooManyBytesError {
            return Response(text: "the review has more than \(Self.mostBytes) bytes", status: .contentTooLarge)
        } catch {
            return Response(text: "the review did not arrive whole", status: .badRequest)
        }
        do {
            let review = try AdmissionReview(parsing: String(buffer: body))
            let decision = decideAdmission(review.request, operator: account())
            return Response(review.answer(decision), type: "application/json")
        } catch {
            return Response(text: error.description, status: .badRequest)
        }
    }
}
