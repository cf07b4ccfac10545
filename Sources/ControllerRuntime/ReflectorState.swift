public import KubernetesClient

/// The protocol of list and watch, as a value: it is told what happened and says what to do next.
///
/// The rules are client-go's (`tools/cache/reflector.go`): the first list takes what the server has at hand, a later one
/// nothing older than was seen, and one after an expired version whatever is newest. Bookmarks and events move the
/// version. A server that refuses connections or is overloaded is watched again, not listed.
///
/// Where the server can, a list comes as a stream, in the beginning of the watch that follows it: neither side has to hold
/// it as one answer. A stream that breaks off is begun again once, and then the list is asked for as ever; a server that
/// refuses or ignores the wish is not asked again.
public struct ReflectorState: Sendable {
    public enum Action: Equatable, Sendable {
        /// Find out whether the server streams lists.
        case discover
        /// List everything as a stream, and go on with it as a watch; nil asks for the newest.
        case stream(resourceVersion: String?, timeout: Duration)
        /// List everything; nil asks for the newest, `0` for what the server has at hand.
        case list(resourceVersion: String?)
        case watch(resourceVersion: String, timeout: Duration)
        case wait(Duration)
    }

    /// Why a list or a watch failed, as far as the protocol cares.
    public enum Failure: Equatable, Sendable {
        /// The version is too old, or one that the server has not reached.
        case badVersion
        /// Nobody answers, the connection broke, or the server asks to come back later.
        case unreachable(retryAfter: Duration?)
        case other
    }

    public enum Event: Equatable, Sendable {
        case waited
        case discovered(streams: Bool)
        case discoveryFailed(Failure)
        /// The server refused to stream the list, or sent something else.
        case notStreamed
        case listed(resourceVersion: String)
        case listFailed(Failure)
        case watchFailed(Failure)
        /// The server ended the watch, as it does after the timeout.
        case watchEnded(lasted: Duration, events: Int)
    }

    /// Whether lists are asked for as streams.
    public enum Streaming: Sendable {
        case unknown, offered, refused
    }

    /// For how long a server is left alone at most, whatever it asks for.
    public static let longestPause: Duration = .seconds(300)

    /// How often a stream may break off before the list is asked for as ever.
    static let mostBrokenStreams = 2

    /// A watch that ends before this without an event is a failure: watching again at once would be a busy loop.
    public static let shortestWatch: Duration = .seconds(1)

    /// The version of the last list, event or bookmark.
    public private(set) var lastVersion: String?
    public private(set) var streaming: Streaming
    private var isArriving = false
    private var brokenStreams = 0
    private var needsNewest = false
    private var afterWait: Action?
    private var backoff: Backoff
    private let random: RandomSource

    /// - Parameter streaming: what is known of the server; it is found out if need be.
    public init(streaming: Streaming = .unknown, backoff: Backoff = .reflector, random: RandomSource = .system) {
        self.streaming = streaming
        self.backoff = backoff
        self.random = random
    }

    /// The first thing to do.
    public mutating func start() -> Action {
        guard streaming != .unknown else { return .discover }
        isArriving = streaming == .offered
        return list
    }

    /// The list that was streamed is whole, and of this version.
    public mutating func streamed(resourceVersion: String) {
        isArriving = false
        listed(resourceVersion)
    }

    /// An event of the watch, or a bookmark, has this version.
    public mutating func saw(resourceVersion: String) {
        if !resourceVersion.isEmpty { lastVersion = resourceVersion }
    }

    /// Whether an error before the end of a streamed list means that the server does not stream lists: it takes the wish for a
    /// mistake, or never ends what it began.
    public static func isRefusalToStream(_ error: KubernetesError, hasBegun: Bool) -> Bool {
        switch error.code {
        case .badRequest, .invalid: true
        case .timeout: hasBegun
        default: false
        }
    }

    public mutating func handle(_ event: Event, at now: ContinuousClock.Instant) -> Action {
        let action = next(event, at: now)
        if case .stream = action { isArriving = true }
        return action
    }

    private mutating func next(_ event: Event, at now: ContinuousClock.Instant) -> Action {
        switch event {
        case .waited:
            // Made when the wait was asked for; nothing happens in between.
            defer { afterWait = nil }
            return afterWait ?? list
        case .discovered(let streams):
            streaming = streams ? .offered : .refused
            return list
        case .discoveryFailed(.unreachable(let retryAfter)):
            return wait(then: .discover, at: now, atLeast: retryAfter)
        case .discoveryFailed:
            // It says nothing of itself; lists it has.
            streaming = .refused
            return list
        case .notStreamed:
            streaming = .refused
            isArriving = false
            return list
        case .watchFailed(let failure) where isArriving:
            isArriving = false
            brokenStreams += 1
            if failure == .badVersion { needsNewest = true }
            return wait(then: list, at: now, atLeast: failure.retryAfter)
        case .watchEnded where isArriving:
            isArriving = false
            brokenStreams += 1
            return wait(then: list, at: now)
        case .listed(let version):
            listed(version)
            return watch
        case .listFailed(.badVersion):
            // The newest there is cannot be too old: a second refusal is no question of the version.
            let isFirst = !needsNewest
            needsNewest = true
            return isFirst ? list : wait(then: list, at: now)
        case .listFailed(.unreachable(let retryAfter)):
            return wait(then: list, at: now, atLeast: retryAfter)
        case .listFailed(.other):
            return wait(then: list, at: now)
        case .watchFailed(.badVersion):
            needsNewest = true
            return wait(then: list, at: now)
        case .watchFailed(.unreachable(let retryAfter)):
            return wait(then: watch, at: now, atLeast: retryAfter)
        case .watchFailed(.other):
            return wait(then: list, at: now)
        case .watchEnded(let lasted, let events):
            if lasted < Self.shortestWatch, events == 0 { return wait(then: list, at: now) }
            return watch
        }
    }

    private mutating func listed(_ version: String) {
        lastVersion = version
        needsNewest = false
        brokenStreams = 0
    }

    private var list: Action {
        if streaming == .offered, brokenStreams < Self.mostBrokenStreams {
            return .stream(resourceVersion: needsNewest ? nil : lastVersion, timeout: watchTimeout)
        }
        return .list(resourceVersion: needsNewest ? nil : lastVersion ?? "0")
    }

    private var watch: Action {
        guard let lastVersion else { return list }
        return .watch(resourceVersion: lastVersion, timeout: watchTimeout)
    }

    private var watchTimeout: Duration { random.jitter(.seconds(300), by: 1) }

    private mutating func wait(
        then action: Action, at now: ContinuousClock.Instant, atLeast asked: Duration? = nil
    ) -> Action {
        afterWait = action
        return .wait(max(backoff.delay(at: now, random: random), min(asked ?? .zero, Self.longestPause)))
    }
}

extension ReflectorState.Failure {
    fileprivate var retryAfter: Duration? {
        if case .unreachable(let retryAfter) = self { retryAfter } else { nil }
    }

    public init(_ error: KubernetesError) {
        switch error.code {
        case .expired, .tooLargeResourceVersion:
            self = .badVersion
        case .refused, .connection, .tooManyRequests, .timeout:
            self = .unreachable(retryAfter: error.retryAfter)
        case .unavailable where error.retryAfter != nil:
            // It says when it is there again: what it had it will have then.
            self = .unreachable(retryAfter: error.retryAfter)
        default:
            self = .other
        }
    }
}
