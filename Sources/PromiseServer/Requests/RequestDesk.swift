internal import DurablePromises
internal import Logging
internal import NIOCore
internal import PostgreSQL

/// Takes the bytes of a request and answers it: reads it, asks whether it is allowed, has it done.
///
/// The order of refusals is the protocol's: first what is wrong with the envelope, then who asks, then the rest.
struct RequestDesk: Sendable {
    let promises: any ServedPromises
    let limits: ServerLimits
    let authenticator: Authenticator?
    let isDebugging: Bool
    let metrics: ServerMetrics
    let logger: Logger
    let outage = Outage()

    /// - Parameter bearer: the token of the `Authorization` header; one in the envelope goes before it.
    func answer(_ body: ByteBuffer, bearer: String?) async -> Answer {
        let start = NIODeadline.now()
        let request = body.withUnsafeReadableBytes { Request(json: $0) }
        let response = await answer(request, bearer: bearer)
        metrics.answered(
            request.operation.metricsLabel, response.status,
            nanoseconds: (NIODeadline.now() - start).nanoseconds
        )
        return Answer(response.status, Answer.json, response.json)
    }

    private func answer(_ request: Request, bearer: String?) async -> Response {
        if request.isMisaddressed {
            // The rules answer it, whatever is stored.
            var machine = PromiseStateMachine(stored: PromiseRecords())
            return machine.answer(request, now: 0)
        }
        if let flaw = limits.flaw(of: request.operation) { return Response(to: request, status: 400, error: flaw) }
        var request = request
        let token = request.head.auth ?? bearer
        // Who asked is known then; nobody else shall learn of the token.
        request.head.auth = nil
        let access: Access
        do throws(AuthenticationFailure) {
            access = try await authenticator?.access(token) ?? .ids(prefix: "")
        } catch {
            return Response(to: request, status: error.status, error: error.message)
        }
        if let refusal = refusal(of: request, access) { return Response(to: request, status: 403, error: refusal) }
        if !isDebugging { request.head.debugTime = nil }
        do {
            var response = try await promises.process(request)
            outage.ended()
            response.confine(to: access)
            return response
        } catch {
            return failure(request, error)
        }
    }

    private func refusal(of request: Request, _ access: Access) -> String? {
        if request.operation.isDebugging, !isDebugging {
            return "\(request.operation.kind) needs a server in debug mode"
        }
        if isDebugging, request.head.debugTime != nil, access != .administrator {
            return "resonate:debug_time is for administrators"
        }
        return access.refusal(of: request.operation)
    }

    /// There is no answer: the promises are out of reach, or something is wrong that the client cannot mend.
    private func failure(_ request: Request, _ error: any Error) -> Response {
        let isAway =
            switch error {
            case let error as PostgresError: error.isTransient || error.code == .closed || error.code == .cancelled
            case let error as PromiseError: error.code == .unavailable
            case is StoreUnavailable, is CancellationError: true
            default: false
            }
        if isAway {
            if outage.began() { logger.warning("requests are answered 503", metadata: ["error": "\(error)"]) }
            return Response(to: request, status: 503, error: "the database is away at present; ask again")
        }
        logger.error("a request failed", metadata: ["kind": "\(request.operation.metricsLabel)", "error": "\(error)"])
        return Response(to: request, status: 500, error: "the request failed; the server's log says why")
    }
}

extension Request {
    /// Whether it is refused for its envelope.
    fileprivate var isMisaddressed: Bool {
        if head.version != Request.currentVersion { return true }
        switch operation {
        case .malformed, .unknown: return true
        default: return false
        }
    }
}

extension PromiseOperation {
    /// Its kind, unless somebody made it up.
    fileprivate var metricsLabel: String {
        switch self {
        case .malformed, .unknown: "unknown"
        default: kind
        }
    }
}

extension Response {
    /// Takes out what the asker may not see: promises that share a branch with theirs.
    fileprivate mutating func confine(to access: Access) {
        if case .ids(let prefix) = access, !prefix.isEmpty { data.preload?.removeAll { !access.covers($0.id) } }
    }
}
