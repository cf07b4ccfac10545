import Synchronization
import TestSupport

@testable import DurablePromises

/// A family under load: what clients did with it, and what the last of them learned, so that the next ask what makes sense.
final class Family: Sendable {
    typealias Operation = ConcurrentOperation<FamilySpecification.Input, Response>

    /// What stands for the answer where the clock was set: that this was done is known.
    static let set = Response(to: Request(.snapshot))

    let name: String
    /// How many requests are asked about it.
    let length: Int
    private let state = Mutex(State())

    private struct State {
        var operations: [Operation] = []
        var begun = 0
        /// The highest version of the task that an answer showed, and who got it.
        var version: Int64 = 0
        var holder = ""
    }

    init(_ name: String, length: Int) {
        self.name = name
        self.length = length
    }

    /// Whether there is another request to ask; counts it.
    func begin() -> Bool {
        state.withLock { state in
            guard state.begun < length else { return false }
            state.begun += 1
            return true
        }
    }

    func add(_ operation: Operation) {
        state.withLock { state in
            state.operations.append(operation)
            if let task = operation.output?.data.task, task.version >= state.version {
                state.version = task.version
                if let pid = task.pid { state.holder = pid }
            }
        }
    }

    var operations: [Operation] { state.withLock { $0.operations } }

    // MARK: Requests

    /// A request that makes sense for what was seen last, or nearly.
    ///
    /// - Parameters:
    ///   - deadline: of the first promise.
    ///   - ttl: of its task's leases, from 1.
    func operation(
        of client: Int,
        deadline: Int64,
        ttl: Int64,
        _ random: inout SplitMix
    ) -> PromiseOperation {
        let (begun, version, holder) = state.withLock { ($0.begun, $0.version, $0.holder) }
        let seen =
            version + (Int.random(in: 0..<12, using: &random) == 0 ? Int64.random(in: -1...1, using: &random) : 0)
        let task = TaskReference(id: name, version: seen)
        let value = PromiseValue(data: "\(client)/\(begun)")
        let pid = "w\(client)"
        let place = Int.random(in: 1..<FamilyState.size, using: &random)
        let other = FamilyState.id(name, place)
        let lease = ttl == .max ? ttl : Int64.random(in: 1...ttl, using: &random)
        func creation(_ place: Int) -> PromiseOperation {
            .createPromise(
                PromiseCreation(
                    id: FamilyState.id(name, place), timeoutAt: place == 0 ? deadline : .max, param: value,
                    tags: place == 0 ? [PromiseTag.target: "poll://any@linear"] : [PromiseTag.external: "true"]
                )
            )
        }
        func settlement(_ place: Int) -> PromiseOperation {
            let states = [PromiseState.resolved, .rejected, .rejectedCanceled]
            return .settlePromise(
                PromiseSettlement(
                    id: FamilyState.id(name, place), state: states[Int.random(in: 0...2, using: &random)], value: value
                )
            )
        }
        // The first is settled near the end: most of what there is to see is over then.
        let isNearTheEnd = begun > length * 4 / 5
        switch Int.random(in: 0..<100, using: &random) {
        case 0..<6: return creation(0)
        case 6..<12: return creation(place)
        case 12..<20: return .getPromise(id: FamilyState.id(name, Int.random(in: 0..<FamilyState.size, using: &random)))
        case 20..<25: return settlement(place)
        case 25..<27: return isNearTheEnd ? settlement(0) : .getPromise(id: name)
        case 27..<33: return .getTask(id: name)
        case 33..<43: return .createTask(pid: pid, ttl: lease, action: Request(creation(0)))
        case 43..<57: return .acquireTask(task, pid: pid, ttl: lease)
        case 57..<62: return .heartbeat(pid: holder, tasks: [task])
        case 62..<68: return .fence(task, action: Request(creation(place)))
        case 68..<72: return .fence(task, action: Request(settlement(place)))
        case 72..<82: return .releaseTask(task)
        case 82..<90:
            let others = Bool.random(using: &random) ? [other] : (1..<FamilyState.size).map { FamilyState.id(name, $0) }
            return .suspendTask(
                task, actions: others.map { Request(.registerCallback(Callback(awaited: $0, awaiter: name))) })
        case 90..<91: return isNearTheEnd ? .fulfillTask(task, action: Request(settlement(0))) : .getTask(id: name)
        case 91..<93: return .registerCallback(Callback(awaited: other, awaiter: name))
        case 93..<95: return .haltTask(id: name)
        default: return .continueTask(id: name)
        }
    }
}
