import TestSupport
import Testing

/// The checker on objects so small that one sees what is right, and on ones that an exhaustive search decides.
@Suite("the checker of linearizability")
struct LinearizabilityCheckerTests {
    /// A number that is written, read, and swapped for another if it is as expected.
    private struct Register: SequentialSpecification {
        enum Input: Sendable, Hashable {
            case write(Int)
            case read
            case swap(Int, Int)
        }

        /// What was read; whether it was swapped.
        typealias Output = Int

        func step(_ state: Int, _ input: Input, _ output: Int?) -> Int? {
            switch input {
            case .write(let value): return value
            case .read: return output == nil || output == state ? state : nil
            case .swap(let old, let new):
                let isSwapped = state == old
                guard output == nil || output == (isSwapped ? 1 : 0) else { return nil }
                return isSwapped ? new : state
            }
        }
    }

    private typealias Operation = ConcurrentOperation<Register.Input, Int>
    private typealias Checker = LinearizabilityChecker<Register>

    private func operation(_ input: Register.Input, _ output: Int?, _ called: Int, _ returned: Int) -> Operation {
        Operation(client: 0, input: input, output: output, called: called, returned: returned)
    }

    private func isLinearizable(_ operations: [Operation]) -> Bool {
        Checker(specification: Register()).check(operations, from: 0) == .linearizable
    }

    @Test("takes what is one after the other as it is")
    func sequential() {
        #expect(isLinearizable([]))
        #expect(isLinearizable([operation(.write(1), 0, 0, 1), operation(.read, 1, 2, 3)]))
        #expect(!isLinearizable([operation(.write(1), 0, 0, 1), operation(.read, 0, 2, 3)]), "a stale read")
        #expect(!isLinearizable([operation(.read, 1, 0, 1), operation(.write(1), 0, 2, 3)]), "a read of the future")
        let lost = [operation(.write(1), 0, 0, 1), operation(.write(2), 0, 2, 3), operation(.read, 1, 4, 5)]
        #expect(!isLinearizable(lost), "a lost write")
    }

    @Test("takes what overlaps in either order, and what is seen once for seen by all")
    func concurrent() {
        let writes = [operation(.write(1), 0, 0, 10), operation(.write(2), 0, 1, 11)]
        for value in [1, 2] { #expect(isLinearizable(writes + [operation(.read, value, 12, 13)])) }
        #expect(!isLinearizable(writes + [operation(.read, 1, 12, 13), operation(.read, 2, 14, 15)]), "it went back")
        #expect(
            isLinearizable(writes + [operation(.read, 0, 2, 3), operation(.read, 2, 4, 5), operation(.read, 1, 6, 7)]))
        #expect(!isLinearizable(writes + [operation(.read, 2, 2, 3), operation(.read, 0, 4, 5)]), "the old one again")
        let swaps = [operation(.swap(0, 1), 1, 0, 5), operation(.swap(0, 2), 1, 1, 6)]
        #expect(!isLinearizable(swaps), "both won")
        #expect(isLinearizable([swaps[0], operation(.swap(0, 2), 0, 1, 6)]))
    }

    @Test("lets what nobody knows the end of have happened later, or never, but not earlier")
    func unknown() {
        let write = operation(.write(1), nil, 2, 3)
        #expect(isLinearizable([write]))
        #expect(isLinearizable([write, operation(.read, 0, 4, 5)]))
        #expect(isLinearizable([write, operation(.read, 1, 4, 5)]))
        #expect(isLinearizable([write, operation(.read, 0, 4, 5), operation(.read, 1, 100, 101)]), "late")
        #expect(!isLinearizable([write, operation(.read, 1, 4, 5), operation(.read, 0, 6, 7)]), "undone")
        #expect(!isLinearizable([operation(.read, 1, 0, 1), write]), "before it began")
        let other = operation(.write(2), 0, 6, 7)
        #expect(isLinearizable([write, operation(.read, 1, 4, 5), other, operation(.read, 2, 8, 9)]))
        #expect(!isLinearizable([write, operation(.read, 1, 4, 5), other, operation(.read, 1, 8, 9)]), "twice")
    }

    @Test("says how far it came")
    func violation() {
        let operations = [operation(.write(1), 0, 0, 1), operation(.read, 1, 2, 3), operation(.read, 7, 4, 5)]
        let verdict = Checker(specification: Register()).check(operations, from: 0)
        #expect(verdict == .violation(order: [0, 1], stuck: [2]))
        let limited = Checker(specification: Register(), limit: 1)
        #expect(limited.check(operations, from: 0) == .undecided)
    }

    /// Every order, one after the other.
    private func isLinearizableForAnybody(_ operations: [Operation]) -> Bool {
        func search(_ remaining: [Operation], _ state: Int) -> Bool {
            if remaining.allSatisfy({ $0.output == nil }) { return true }
            let end = remaining.filter { $0.output != nil }.map(\.returned).min() ?? .max
            return remaining.indices.contains { index in
                let operation = remaining[index]
                guard operation.called <= end, let next = Register().step(state, operation.input, operation.output)
                else {
                    return false
                }
                var others = remaining
                others.remove(at: index)
                return search(others, next)
            }
        }
        return search(operations, 0)
    }

    @Test("decides as an exhaustive search does", arguments: 0..<4 as Range<UInt64>)
    func exhaustive(seed: UInt64) {
        var random = SplitMix(seed: seed)
        var verdicts = [0, 0]
        for _ in 0..<(TestServers.isSoak ? 50_000 : 1500) {
            let operations = (0..<Int.random(in: 1...6, using: &random)).map { client -> Operation in
                let called = Int.random(in: 0..<12, using: &random)
                let value = Int.random(in: 0...2, using: &random)
                let isKnown = Int.random(in: 0..<5, using: &random) > 0
                let input: Register.Input =
                    switch Int.random(in: 0..<4, using: &random) {
                    case 0: .write(value)
                    case 1: .swap(value, Int.random(in: 0...2, using: &random))
                    default: .read
                    }
                let output = if case .read = input { value } else { value % 2 }
                return Operation(
                    client: client, input: input, output: isKnown ? output : nil, called: called,
                    returned: called + Int.random(in: 1...6, using: &random)
                )
            }
            let expected = isLinearizableForAnybody(operations)
            verdicts[expected ? 1 : 0] += 1
            guard isLinearizable(operations) == expected else {
                Issue.record("\(operations) is \(expected ? "" : "not ")linearizable")
                return
            }
        }
        #expect(verdicts.allSatisfy { $0 > 100 }, "\(verdicts)")
    }
}
