import Logging
import Synchronization
import TestSupport
import Testing

@testable import ControllerRuntime

/// Places that tenants ask for and give back.
private struct Places {
    let count: Int
    var queue = FairQueue<String, Int>()
    var held: [String: Int] = [:]
    private var tenants: [String] = []

    init(_ count: Int) { self.count = count }

    var free: Int { count - held.values.reduce(0, +) }

    /// Who got a place now, in order.
    mutating func ask(_ tenant: String) -> [String] {
        queue.append(tenants.count, of: tenant)
        tenants.append(tenant)
        return serve()
    }

    mutating func giveBack(_ tenant: String) -> [String] {
        held[tenant, default: 0] -= 1
        queue.giveBack(tenant)
        return serve()
    }

    private mutating func serve() -> [String] {
        var served: [String] = []
        while let number = queue.next(free: free) {
            held[tenants[number], default: 0] += 1
            served.append(tenants[number])
        }
        return served
    }
}

@Suite("The rules of a fair queue")
struct FairQueueTests {
    @Test("of two or more places a tenant has half at most, and another's first comes at once", arguments: 1...33)
    func half(count: Int) {
        var places = Places(count)
        for _ in 0..<100 { _ = places.ask("greedy") }
        #expect(places.held["greedy"] == (count + 1) / 2)
        #expect(places.ask("other") == (count > 1 ? ["other"] : []))
        if count == 1 { #expect(places.giveBack("greedy") == ["other"], "though others of the greedy one came first") }
    }

    @Test(
        "of n places k tenants leave n / 2ᵏ free at least, in whatever order they ask",
        arguments: 0..<4 as Range<UInt64>)
    func rest(seed: UInt64) {
        var random = SplitMix(seed: seed)
        for count in 1...33 {
            for tenants in 1...6 {
                var places = Places(count)
                for _ in 0..<200 {
                    let tenant = "\(Int.random(in: 0..<tenants, using: &random))"
                    if places.held[tenant, default: 0] > 0, Int.random(in: 0..<3, using: &random) == 0 {
                        _ = places.giveBack(tenant)
                    } else {
                        _ = places.ask(tenant)
                    }
                    #expect(places.free >= count >> tenants)
                }
            }
        }
    }

    @Test("four that give nothing back leave one of 16 for a fifth; then the next end is a newcomer's")
    func greedy() {
        var places = Places(16)
        let greedy = ["a", "b", "c", "d"]
        for tenant in greedy {
            for _ in 0..<100 { _ = places.ask(tenant) }
        }
        #expect(greedy.map { places.held[$0] } == [8, 4, 2, 1])
        #expect(places.ask("e") == ["e"])
        #expect(places.ask("f").isEmpty && places.ask("g").isEmpty)
        #expect(places.giveBack("b") == ["f"])
        #expect(places.giveBack("a") == ["g"])
        // Only now there is room again: for whoever has least, and not for the last place.
        #expect(places.giveBack("e").isEmpty)
        #expect(places.giveBack("a") == ["d"])
    }

    @Test("of one tenant whoever came first goes first; who leaves the line takes nothing along")
    func order() {
        var queue = FairQueue<String, Int>()
        for number in 0..<5 { queue.append(number, of: "a") }
        #expect(queue.remove(of: "a") { $0 == 0 } == 0)
        #expect(queue.remove(of: "a") { $0 == 3 } == 3)
        #expect(queue.remove(of: "b") { $0 == 3 } == nil)
        #expect(queue.count == 3)
        #expect((0..<4).map { _ in queue.next(free: .max) } == [1, 2, 4, nil])
    }

    @Test("whoever comes and goes, the next is who holds least of those who may", arguments: 0..<4 as Range<UInt64>)
    func anyOrder(seed: UInt64) {
        var random = SplitMix(seed: seed)
        var queue = FairQueue<Int, Int>()
        var waiting: [Int: [Int]] = [:]
        var since: [Int: Int] = [:]
        var held: [Int: Int] = [:]
        for number in 0..<3000 {
            let tenant = Int.random(in: 0..<6, using: &random)
            switch Int.random(in: 0..<4, using: &random) {
            case 0:
                queue.append(number, of: tenant)
                if waiting[tenant, default: []].isEmpty { since[tenant] = number }
                waiting[tenant, default: []].append(number)
            case 1 where held[tenant, default: 0] > 0:
                held[tenant]! -= 1
                since[tenant] = number
                queue.giveBack(tenant)
            case 2 where Int.random(in: 0..<4, using: &random) == 0:
                let left = waiting[tenant]?.popLast()
                #expect(queue.remove(of: tenant) { $0 == left } == left)
            default:
                let free = Int.random(in: 0..<6, using: &random)
                let next = waiting.filter { !$0.value.isEmpty && held[$0.key, default: 0] < free }.keys
                    .min { (held[$0, default: 0], since[$0]!) < (held[$1, default: 0], since[$1]!) }
                #expect(queue.next(free: free) == next.map { waiting[$0]!.removeFirst() })
                if let next {
                    held[next, default: 0] += 1
                    since[next] = number
                }
            }
            #expect(queue.count == waiting.values.map(\.count).reduce(0, +))
        }
    }

    @Test("a tenant whose keys never come to an end leaves workers of a loop to others, and the loop counts as well")
    func loop() async throws {
        let hold = Latch()
        let seen = Mutex<Set<String>>([])
        let queue = WorkQueue<String>(tenant: { String($0.prefix(1)) })
        let controller = Controller<String>(
            name: "test", workers: 4, queue: queue,
            logger: Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() })
        ) { key in
            _ = seen.withLock { $0.insert(key) }
            if key.hasPrefix("a") { try await hold.wait() }
            return .done
        }
        for number in 0..<20 { queue.add("a\(number)") }
        let running = Task { await controller.run() }
        try await eventually("the silent ones have what they may") { seen.withLock { $0.count } == 2 }
        for number in 0..<20 { queue.add("b\(number)") }
        try await eventually("all of the others are through") {
            seen.withLock { seen in seen.filter { $0.hasPrefix("b") }.count == 20 }
        }
        #expect(seen.withLock { seen in seen.filter { $0.hasPrefix("a") }.count == 2 })
        hold.open()
        try await eventually("all are") { seen.withLock { $0.count } == 40 }
        running.cancel()
        await running.value
    }
}
