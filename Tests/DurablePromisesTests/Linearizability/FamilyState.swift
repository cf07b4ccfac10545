@testable import DurablePromises

/// A promise with a task, and a few others for which the task may wait: what a checker has to look at together.
///
/// Nothing is left out that an answer shows. What only the clock of the store knows is nil until an answer tells it.
struct FamilyState: Hashable, Sendable {
    struct Promise: Hashable, Sendable {
        var state = PromiseState.pending
        var param: String?
        var value: String?
        var tags: [String: String]
        var timeoutAt: Int64
        var createdAt: Int64?
        var settledAt: Int64?
    }

    struct Work: Hashable, Sendable {
        var state = TaskState.pending
        var version: Int64 = 0
        var resumes = 0
        var ttl: Int64?
        var pid: String?
        var leaseEndsAt: Int64?

        mutating func letGo(_ state: TaskState) {
            self.state = state
            (ttl, pid, leaseEndsAt) = (nil, nil, nil)
            if state == .fulfilled { resumes = 0 }
        }
    }

    /// What time it is, in milliseconds since 1970; nil where nobody knows. Deadlines and leases are far away then.
    var now: Int64?
    /// That of the family's name, then those that it may wait for.
    var promises: [Promise?] = [nil, nil, nil]
    /// The task of the first promise.
    var task: Work?
    /// Which promises the task waits for.
    var awaited: Set<Int> = []

    /// How many promises a family has.
    static let size = 3

    /// Which promise of its family an id is: `r` is the first, `r:2` the third.
    static func place(_ id: String) -> Int? {
        guard let colon = id.utf8.lastIndex(of: UInt8(ascii: ":")) else { return 0 }
        guard let place = Int(id[id.index(after: colon)...]), (1..<size).contains(place) else { return nil }
        return place
    }

    static func id(_ family: String, _ place: Int) -> String {
        place == 0 ? family : "\(family):\(place)"
    }
}
