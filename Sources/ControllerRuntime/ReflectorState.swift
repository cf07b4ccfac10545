public import KubernetesClient

/// The protocol of list and watch, as a value: it is told what happened and says what to do next.
///
/// The rules are client-go's (`tools/cache/reflector.go`): the first list takes what the server has at hand, a later one
/// nothing older than was seen, and one after an expired version whatever is newest. Bookmarks and events move the
/// version. A server that refuses connections or is overloaded is watched again, not listed.
public struct ReflectorState: Sendable {
    public enum Action: Equatable, Sendable {
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
        case listed(resourceVersion: String)
        case listFailed(Failure)
        case watchFailed(Failure)
        /// The server ended the watch, as it does after the timeout.
        case watchEnded(lasted: Duration, events: Int)
    }

    /// A watch that ends before this without an event is a failure: watching again at once would be a busy loop.
    public static let shortestWatch: Duration = .seconds(1)

    /// The version of the last list, event or bookmark.
    public private(set) var lastVersion: String?
    private var needsNewest = false
    private var afterWait: Action?
    private var backoff: Backoff
    private let random: RandomSource

    public init(backoff: Backoff = .reflector, random: RandomSource = .system) {
        self.backoff = backoff
        self.random = random
    }

    /// The first thing to do.
    public func start() -> Action {
        list
    }

    /// An event of the watch, or a bookmark, has this version.
    public mutating func saw(resourceVersion: String) {
        if !resourceVersion.isEmpty { lastVersion = resourceVersion }
    }

    public mutating func handle(_ event: Event, at now: ContinuousClock.Instant) -> Action {
        switch event {
        case .waited:
            // Made when the wait was asked for; nothing happens in between.
            defer { afterWait = nil }
            return afterWait ?? list
        case .listed(let version):
            lastVersion = version
            needsNewest = false
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

    private var list: Action {
        .list(resourceVersion: needsNewest ? nil : lastVersion ?? "0")
    }

    private var watch: Action {
        guard let lastVersion else { return list }
        return .watch(resourceVersion: lastVersion, timeout: random.jitter(.seconds(300), by: 1))
    }

    private mutating func wait(
        then action: Action, at now: ContinuousClock.Instant, atLeast asked: Duration? = nil
    ) -> Action {
        afterWait = action
        return .wait(max(backoff.delay(at: now, random: random), asked ?? .zero))
    }
}

extension ReflectorState.Failure {
    public init(_ error: KubernetesError) {
        switch error.code {
        case .expired, .tooLargeResourceVersion:
            self = .badVersion
        case .refused, .connection, .tooManyRequests, .timeout:
            self = .unreachable(retryAfter: error.retryAfter)
        default:
            self = .other
        }
    }
}
