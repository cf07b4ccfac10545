internal import DequeModule
internal import HeapModule

/// Who of several tenants gets a place next, as a value: the one that holds the fewest goes first, and of those the one that
/// has waited longest since it came, or last got or had one. Of one tenant whoever came first goes first.
///
/// A tenant gets another place only while it holds fewer than are free (a dynamic threshold, as switches share their
/// memory: A. K. Choudhury and E. L. Hahne, "Dynamic queue length thresholds for shared-memory packet switches", 1998).
/// So whatever one tenant asks for, and however long it holds what it got:
///
/// * Of two or more places it never has more than half, rounded up, and who holds none gets one at once. Of n places k
///   tenants leave ⌊n / 2ᵏ⌋ free at least: with 16, four that give nothing back leave one for a fifth.
/// * Where even the last is taken, the next that is given back, by anybody, goes to who holds none, each in its turn, and
///   before all who hold one.
public struct FairQueue<Tenant: Hashable & Sendable, Element: Sendable>: Sendable {
    private struct Line: Sendable {
        var held = 0
        /// When it began to wait, or last got a place or gave one back, counted in turns.
        var since: UInt64 = 0
        var waiting: Deque<Element> = []
    }

    /// Where a line that is not empty stands among the others.
    private struct Rank: Comparable, Sendable {
        var held: Int
        var since: UInt64
        var tenant: Tenant

        static func < (left: Rank, right: Rank) -> Bool { (left.held, left.since) < (right.held, right.since) }
    }

    /// Of those who wait or hold something.
    private var lines: [Tenant: Line] = [:]
    /// The ranks of all lines. One that is not its line's any more counts for nothing.
    private var ranks = Heap<Rank>()
    private var turns: UInt64 = 0
    /// How many wait.
    public private(set) var count = 0

    public init() {}

    public mutating func append(_ element: Element, of tenant: Tenant) {
        lines[tenant, default: Line()].waiting.append(element)
        count += 1
        if lines[tenant]?.waiting.count == 1 { queueUp(tenant) }
    }

    /// Gives one of the `free` places to who is next. Nil: nobody waits who may have it.
    public mutating func next(free: Int) -> Element? {
        while let first = ranks.min, first != rank(of: first.tenant) { ranks.removeMin() }
        // Whoever comes after holds as many at least.
        guard let first = ranks.min, first.held < free else { return nil }
        ranks.removeMin()
        count -= 1
        lines[first.tenant]?.held += 1
        let element = lines[first.tenant]?.waiting.popFirst()
        queueUp(first.tenant)
        return element
    }

    /// A place that the tenant holds is free again.
    public mutating func giveBack(_ tenant: Tenant) {
        lines[tenant]?.held -= 1
        queueUp(tenant)
    }

    /// Takes the first that fits out of the tenant's line.
    public mutating func remove(of tenant: Tenant, where fits: (Element) -> Bool) -> Element? {
        guard let index = lines[tenant]?.waiting.firstIndex(where: fits) else { return nil }
        let element = lines[tenant]?.waiting.remove(at: index)
        count -= 1
        if lines[tenant]?.waiting.isEmpty == true { note(tenant) }
        return element
    }

    private func rank(of tenant: Tenant) -> Rank? {
        guard let line = lines[tenant], !line.waiting.isEmpty else { return nil }
        return Rank(held: line.held, since: line.since, tenant: tenant)
    }

    /// Behind all who wait now.
    private mutating func queueUp(_ tenant: Tenant) {
        turns += 1
        lines[tenant]?.since = turns
        note(tenant)
    }

    private mutating func note(_ tenant: Tenant) {
        if let rank = rank(of: tenant) {
            ranks.insert(rank)
            if ranks.count > 2 * lines.count + 64 { ranks = Heap(lines.keys.compactMap { self.rank(of: $0) }) }
        } else if lines[tenant]?.held == 0 {
            lines[tenant] = nil
        }
    }
}
