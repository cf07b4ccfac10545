internal import HeapModule

/// The rules of a work queue, as a value that reads no clock.
///
/// A key waits once, however often it is added. While a worker has it, it is kept back until that worker is done, so
/// that no key has two workers. Failures delay a key by 5 ms·2ⁿ, and all keys together by a bucket of tokens. Where keys
/// have tenants, these share the workers by the rules of ``FairQueue``.
public struct WorkQueueState<Key: Hashable & Sendable>: Sendable {
    /// The limits of a queue.
    public struct Limits: Sendable {
        public var firstDelay: Duration = .milliseconds(5)
        public var longestDelay: Duration = .seconds(1000)
        /// Tokens that the bucket gains in a second, and holds at most.
        public var refill: Double = 10
        public var burst: Double = 100

        public init() {}
    }

    /// A key that was given to a worker.
    public struct Turn: Equatable, Sendable {
        public var key: Key
        /// How long it waited, from when it was added.
        public var waited: Duration
    }

    private struct Alarm: Comparable, Sendable {
        var at: ContinuousClock.Instant
        var key: Key

        static func < (left: Alarm, right: Alarm) -> Bool { left.at < right.at }
    }

    private let limits: Limits
    private let tenant: (@Sendable (Key) -> String?)?
    private var ready = FairQueue<String?, Key>()
    /// Keys that were added, and when first.
    private var dirty: [Key: ContinuousClock.Instant] = [:]
    /// Keys that workers have, and since when.
    private var processing: [Key: ContinuousClock.Instant] = [:]
    /// Keys that are due later, and when.
    private var delayed: [Key: ContinuousClock.Instant] = [:]
    /// The same by time. An entry whose time is not the key's any more counts for nothing; the first one always counts.
    private var alarms = Heap<Alarm>()
    private var failures: [Key: Int] = [:]
    private var tokens: Double
    private var tokensAt: ContinuousClock.Instant?

    /// - Parameter tenant: whose a key is. Without it keys are taken as they come.
    public init(limits: Limits = Limits(), tenant: (@Sendable (Key) -> String?)? = nil) {
        self.limits = limits
        self.tenant = tenant
        tokens = limits.burst
    }

    /// How many keys wait to be taken now.
    public var depth: Int { ready.count }

    /// How many keys workers have.
    public var processingCount: Int { processing.count }

    /// How often a key was added that did not wait already.
    public private(set) var additions: UInt64 = 0

    /// How long workers have had their keys at `now`: all of them together, and the longest.
    public func unfinished(at now: ContinuousClock.Instant) -> (sum: Duration, longest: Duration) {
        processing.values.reduce((.zero, .zero)) { total, since in
            (total.0 + (now - since), max(total.1, now - since))
        }
    }

    /// Adds a key, unless it waits already.
    public mutating func add(_ key: Key, now: ContinuousClock.Instant) {
        guard dirty[key] == nil else { return }
        dirty[key] = now
        additions += 1
        if processing[key] == nil { ready.append(key, of: tenant?(key)) }
    }

    /// Adds a key at a later time, unless an earlier time is set for it.
    public mutating func add(_ key: Key, at instant: ContinuousClock.Instant) {
        if let set = delayed[key], set <= instant { return }
        delayed[key] = instant
        alarms.insert(Alarm(at: instant, key: key))
        dropStaleAlarms()
    }

    /// Adds a key later, the later the more often it failed. Returns how much.
    @discardableResult
    public mutating func addRateLimited(_ key: Key, now: ContinuousClock.Instant) -> Duration {
        let count = failures[key, default: 0]
        failures[key] = count + 1
        // 2³⁰ times the first delay is beyond any bound, and no overflow.
        let own = min(limits.longestDelay, limits.firstDelay * (1 << min(count, 30)))
        let delay = max(own, takeToken(now))
        add(key, at: now + delay)
        return delay
    }

    /// The key works: its next failure is its first.
    public mutating func forget(_ key: Key) {
        failures[key] = nil
    }

    /// How often the key failed since it was forgotten.
    public func failures(of key: Key) -> Int { failures[key] ?? 0 }

    /// A key for one of `idle` workers, which says ``done(_:now:)`` afterwards. Nil: none is due that may be taken.
    public mutating func next(now: ContinuousClock.Instant, idle: Int = .max) -> Turn? {
        promote(now)
        guard let key = ready.next(free: tenant == nil ? .max : idle) else { return nil }
        let added = dirty.removeValue(forKey: key) ?? now
        processing[key] = now
        return Turn(key: key, waited: now - added)
    }

    /// When the next key is due that was not yet at the last look.
    public var nextDue: ContinuousClock.Instant? { alarms.min?.at }

    /// A worker is done with the key. If it was added meanwhile, it is up again. Returns for how long the worker had it.
    @discardableResult
    public mutating func done(_ key: Key, now: ContinuousClock.Instant) -> Duration {
        guard let since = processing.removeValue(forKey: key) else { return .zero }
        ready.giveBack(tenant?(key))
        if dirty[key] != nil { ready.append(key, of: tenant?(key)) }
        return now - since
    }

    /// Looks at the time: keys whose time has come wait from now on, whether a worker is free or not.
    public mutating func promote(_ now: ContinuousClock.Instant) {
        while let next = alarms.min, next.at <= now {
            alarms.removeMin()
            delayed[next.key] = nil
            add(next.key, now: now)
            dropStaleAlarms()
        }
    }

    private mutating func dropStaleAlarms() {
        while let first = alarms.min, delayed[first.key] != first.at { alarms.removeMin() }
    }

    private mutating func takeToken(_ now: ContinuousClock.Instant) -> Duration {
        if let tokensAt, now > tokensAt {
            tokens = min(limits.burst, tokens + (now - tokensAt) / .seconds(1) * limits.refill)
        }
        tokensAt = max(tokensAt ?? now, now)
        tokens -= 1
        return tokens >= 0 ? .zero : .seconds(-tokens / limits.refill)
    }
}
