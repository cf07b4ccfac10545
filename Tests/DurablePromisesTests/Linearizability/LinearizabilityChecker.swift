/// Looks for an order of operations in which an object that does one after the other would have answered as it did, while
/// none comes before another that had ended when it began.
///
/// The search is that of J. Wing and C. Gong, "Testing and Verifying Concurrent Objects" (1993), with the memory for what was
/// tried that G. Lowe adds in "Testing for Linearizability" (2017). Whoever has many objects checks the history of each:
/// the whole is linearizable if and only if each of them is (M. Herlihy and J. Wing, 1990).
struct LinearizabilityChecker<Specification: SequentialSpecification> {
    typealias Operation = ConcurrentOperation<Specification.Input, Specification.Output>

    enum Verdict: Equatable {
        case linearizable
        /// There is no such order. The longest one that was found, and those of which one would have had to be next.
        case violation(order: [Int], stuck: [Int])
        /// The search took too long.
        case undecided
    }

    let specification: Specification
    /// How many steps are tried at the most.
    var limit = 5_000_000

    /// What was tried already: which operations are done, and the state they led to.
    private struct Situation: Hashable {
        var done: [UInt64]
        var state: Specification.State
    }

    /// A known operation's beginning or end, in a list that gets shorter as operations are done.
    private struct Entry {
        var operation: Int
        var isCall: Bool
        var moment: Int
        /// The other entry of the same operation.
        var partner = -1
        var previous = -1
        var next = -1
    }

    private struct Frame {
        var state: Specification.State
        /// The operation that was done.
        var operation: Int
        /// Where the search goes on should it have been wrong: at an entry, and at one of the unknown operations.
        var entry: Int
        var unknown: Int
    }

    /// Few of the operations whose outcome nobody knows took effect, as a rule, so an order with few of them is looked for
    /// first; any of them might stand anywhere, and there would be no end to it.
    ///
    /// - Parameter operations: of one object, in any order.
    func check(_ operations: [Operation], from initial: Specification.State) -> Verdict {
        let unknown = operations.count { $0.output == nil }
        var steps = 0
        var longest = Verdict.undecided
        for most in 0...unknown {
            var search = Search(specification, operations, initial, mostUnknown: most)
            let verdict = search.run(&steps, limit: limit)
            guard case .violation(let order, _) = verdict else { return verdict }
            if case .violation(let known, _) = longest, known.count >= order.count {} else { longest = verdict }
            if !search.wasShort { break }
        }
        return longest
    }

    private struct Search {
        private let specification: Specification
        private let operations: [Operation]
        private let mostUnknown: Int
        private var unknownDone = 0
        /// Whether another unknown operation might have helped.
        private(set) var wasShort = false
        private var entries: [Entry] = []
        /// Without an output, by the time of their call. They need not be done.
        private let unknown: [Int]
        private let knownCount: Int
        private var knownDone = 0
        private var isDone: [UInt64]
        private var state: Specification.State
        private var frames: [Frame] = []
        private var tried: Set<Situation> = []
        private var best: (order: [Int], stuck: [Int]) = ([], [])

        init(
            _ specification: Specification,
            _ operations: [Operation],
            _ initial: Specification.State,
            mostUnknown: Int
        ) {
            self.specification = specification
            self.operations = operations
            self.mostUnknown = mostUnknown
            state = initial
            isDone = Array(repeating: 0, count: operations.count / 64 + 1)
            unknown = operations.indices.filter { operations[$0].output == nil }
                .sorted { operations[$0].called < operations[$1].called }
            let known = operations.indices.filter { operations[$0].output != nil }
            knownCount = known.count
            // The first entry is the head of the list.
            var list = [Entry(operation: -1, isCall: true, moment: .min)]
            for index in known {
                list.append(Entry(operation: index, isCall: true, moment: operations[index].called))
                list.append(Entry(operation: index, isCall: false, moment: operations[index].returned))
            }
            // What began at the moment at which another ended overlaps it.
            list.sort { ($0.moment, $0.isCall ? 0 : 1) < ($1.moment, $1.isCall ? 0 : 1) }
            var calls: [Int: Int] = [:]
            for index in list.indices {
                list[index].previous = index - 1
                list[index].next = index + 1 < list.count ? index + 1 : -1
                if list[index].isCall {
                    calls[list[index].operation] = index
                } else if let call = calls[list[index].operation] {
                    list[index].partner = call
                    list[call].partner = index
                }
            }
            entries = list
        }

        mutating func run(_ steps: inout Int, limit: Int) -> Verdict {
            var entry = entries[0].next
            var nextUnknown = 0
            while knownDone < knownCount {
                steps += 1
                if steps > limit { return .undecided }
                if entries[entry].isCall {
                    // Any that began before the first end may be next.
                    if take(entries[entry].operation, at: entry, unknown: -1) {
                        lift(entry)
                        (entry, nextUnknown) = (entries[0].next, 0)
                    } else {
                        entry = entries[entry].next
                    }
                    continue
                }
                // No known operation can be next alone. Perhaps an unknown one took effect before.
                var wasTaken = false
                while nextUnknown < unknown.count, operations[unknown[nextUnknown]].called <= entries[entry].moment {
                    let operation = unknown[nextUnknown]
                    if !contains(operation), take(operation, at: entry, unknown: nextUnknown) {
                        wasTaken = true
                        break
                    }
                    nextUnknown += 1
                }
                if wasTaken {
                    (entry, nextUnknown) = (entries[0].next, 0)
                    continue
                }
                note(entry)
                guard let place = goBack() else { return .violation(order: best.order, stuck: best.stuck) }
                (entry, nextUnknown) = place
            }
            return .linearizable
        }

        /// Does an operation next, if it may be and leads to what was not tried yet.
        private mutating func take(_ operation: Int, at entry: Int, unknown: Int) -> Bool {
            let done = operations[operation]
            guard let next = specification.step(state, done.input, done.output) else { return false }
            // An effect that nobody knows of and that there was none of is none.
            if done.output == nil {
                if next == state { return false }
                if unknownDone == mostUnknown {
                    wasShort = true
                    return false
                }
            }
            mark(operation)
            guard tried.insert(Situation(done: isDone, state: next)).inserted else {
                mark(operation)
                return false
            }
            frames.append(Frame(state: state, operation: operation, entry: entry, unknown: unknown))
            state = next
            if done.output == nil { unknownDone += 1 } else { knownDone += 1 }
            return true
        }

        /// Undoes the last operation; nil when there is none.
        private mutating func goBack() -> (entry: Int, unknown: Int)? {
            guard let frame = frames.popLast() else { return nil }
            state = frame.state
            mark(frame.operation)
            if operations[frame.operation].output == nil {
                unknownDone -= 1
                return (frame.entry, frame.unknown + 1)
            }
            knownDone -= 1
            unlift(frame.entry)
            return (entries[frame.entry].next, 0)
        }

        private mutating func note(_ end: Int) {
            guard frames.count >= best.order.count else { return }
            var stuck: [Int] = []
            var entry = entries[0].next
            while entry != end {
                stuck.append(entries[entry].operation)
                entry = entries[entry].next
            }
            best = (frames.map(\.operation), stuck)
        }

        // MARK: The list and the set

        private func contains(_ operation: Int) -> Bool {
            isDone[operation / 64] & (1 << UInt64(operation % 64)) != 0
        }

        /// Takes it into the set, or out of it.
        private mutating func mark(_ operation: Int) {
            isDone[operation / 64] ^= 1 << UInt64(operation % 64)
        }

        private mutating func lift(_ call: Int) {
            for entry in [call, entries[call].partner] {
                let (previous, next) = (entries[entry].previous, entries[entry].next)
                entries[previous].next = next
                if next >= 0 { entries[next].previous = previous }
            }
        }

        /// In the opposite order, so that each finds its neighbours as it left them.
        private mutating func unlift(_ call: Int) {
            for entry in [entries[call].partner, call] {
                let (previous, next) = (entries[entry].previous, entries[entry].next)
                entries[previous].next = entry
                if next >= 0 { entries[next].previous = entry }
            }
        }
    }
}
