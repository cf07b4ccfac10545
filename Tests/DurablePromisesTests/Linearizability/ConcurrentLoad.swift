import Synchronization
import TestSupport

@testable import DurablePromises

/// Clients that ask replicas about a few families at a time, and a history of each family.
struct ConcurrentLoad: Sendable {
    /// What became of a request.
    enum Outcome: Sendable {
        case answered(Response)
        /// Nobody knows whether it took effect.
        case unknown
        /// It was never sent.
        case unsent
    }

    /// Asks one of the replicas, for a client with that number.
    var ask: @Sendable (_ client: Int, _ request: Request) async -> Outcome
    var clients = 16
    /// How many families are under load at the same time.
    var width = 4
    /// How many requests are asked about each.
    var length = 120
    /// How many families there are in all.
    var families: Int
    var seed: UInt64 = 1
    /// How long a lease is at the most; far away where nobody knows the time.
    var ttl: Int64 = .max
    /// The deadline of a family's first promise.
    var deadline: @Sendable (_ family: Int) -> Int64 = { _ in .max }

    /// Numbers the moments at which operations begin and end.
    let moments = Moments()

    final class Moments: Sendable {
        private let next = Atomic(0)

        func moment() -> Int {
            next.wrappingAdd(1, ordering: .sequentiallyConsistent).oldValue
        }
    }

    /// Runs until each family had its requests.
    func run(prefix: String) async -> [Family] {
        let all = (0..<families).map { Family("\(prefix)\($0)", length: length) }
        await withTaskGroup(of: Void.self) { group in
            for client in 0..<clients { group.addTask { await work(client, all) } }
        }
        return all
    }

    private func work(_ client: Int, _ all: [Family]) async {
        var random = SplitMix(seed: seed &* 1000 &+ UInt64(client))
        // As many lines as families may be under load; each is worked through in order.
        var lines = Array(0..<width)
        while let index = lines.randomElement(using: &random) {
            guard index < all.count, all[index].begin() else {
                lines = lines.compactMap { $0 != index ? $0 : index < all.count ? index + width : nil }
                continue
            }
            let family = all[index]
            let operation = family.operation(of: client, deadline: deadline(index), ttl: ttl, &random)
            let called = moments.moment()
            let outcome = await ask(client, Request(operation))
            let returned = moments.moment()
            let output: Response?
            switch outcome {
            case .answered(let response): output = response
            case .unknown: output = nil
            case .unsent: continue
            }
            family.add(
                Family.Operation(
                    client: client, input: .request(operation), output: output, called: called, returned: returned
                )
            )
        }
    }
}
