internal import DurablePromises
internal import Logging
internal import Prometheus

/// What the connections of one listener have in common: what is served there, and how much.
struct ConnectionService: Sendable {
    /// How a request is answered.
    enum Plan {
        case answer(Answer)
        case desk(RequestDesk)
        case page(@Sendable () async -> Answer)
        case stream(StreamRegistry.Name)
    }

    /// What a listener serves besides `/ready` and `/health`.
    struct Offer: OptionSet, Sendable {
        let rawValue: Int
        static let promises = Offer(rawValue: 1)
        static let metrics = Offer(rawValue: 2)
    }

    let offer: Offer
    let desk: RequestDesk
    let connections: ConnectionRegistry
    let streams: StreamRegistry
    let work: RunningWork
    /// What messages call the server; nil means as the client that takes them called it.
    let url: String?
    let isReady: @Sendable () async -> Bool

    var limits: ServerLimits { desk.limits }

    func plan(_ head: RequestHead) -> Plan {
        switch head.route {
        case .envelope where offer.contains(.promises): return .desk(desk)
        case .poll(let group, let id) where offer.contains(.promises):
            guard max(group.utf8.count, id.utf8.count) <= limits.idBytes else {
                return .answer(Answer(400, error: "a stream's group and id have at most \(limits.idBytes) bytes each"))
            }
            guard PromiseAddress("poll://uni@\(group)/\(id)") == .one(group: group, id: id) else {
                let message =
                    "a stream's group and id have no white space and no control character; a group has no slash"
                return .answer(Answer(400, error: message))
            }
            return .stream(StreamRegistry.Name(group: group, id: id))
        case .metrics where offer.contains(.metrics):
            let registry = desk.metrics.registry
            return .page { Answer(200, MetricsRegistry.contentType, Array(await registry.text().utf8)) }
        case .health: return .answer(Answer(200, Answer.text, Array("ok\n".utf8)))
        case .ready:
            let isReady = isReady
            return .page {
                await isReady()
                    ? Answer(200, Answer.text, Array("ready\n".utf8))
                    : Answer(503, Answer.text, Array("the database is away at present\n".utf8))
            }
        case .gone where offer.contains(.promises):
            let message = "this API is no more; requests of protocol \(Request.currentVersion) go to POST /"
            return .answer(Answer(410, error: message))
        case .wrongMethod(let allowed):
            return .answer(Answer(405, error: "this takes \(allowed)", header: "Allow: \(allowed)"))
        case .envelope, .poll, .metrics, .gone, .unknown:
            return .answer(Answer(404, error: "there is nothing here; requests of the promise protocol go to POST /"))
        }
    }

    /// A body that is longer than any that is read. Its envelope cannot be known, so that the answer is for none.
    var tooLong: Answer {
        let request = Request(.malformed(kind: "unknown", reason: ""))
        let message = "the request has more than \(limits.bodyBytes) bytes"
        return Answer(413, Answer.json, Response(to: request, status: 413, error: message).json)
    }
}
