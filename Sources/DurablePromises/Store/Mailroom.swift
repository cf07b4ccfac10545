internal import Synchronization

/// Who takes messages here: the open streams of this process, by group and id.
final class Mailroom: Sendable {
    /// One stream.
    private final class Box: Sendable {
        let stream: AsyncStream<MessageDelivery>.Continuation
        let id: String
        /// How many messages it was given and has not said to have taken.
        let outstanding = Mutex(0)

        init(_ stream: AsyncStream<MessageDelivery>.Continuation, id: String) {
            self.stream = stream
            self.id = id
        }
    }

    private struct State {
        var groups: [String: [Box]] = [:]
        var turn = 0
        var isClosed = false
        /// Who waits for ``signals()``, by number.
        var waiting: [Int: AsyncStream<Void>.Continuation] = [:]
        var next = 0
    }

    private let state = Mutex(State())

    /// How many messages a stream is given before it has taken the first of them.
    private static let room = 256

    var isEmpty: Bool {
        state.withLock { $0.groups.isEmpty }
    }

    /// Yields at once, and whenever there may be something to deliver. For one reader.
    func signals() -> AsyncStream<Void> {
        let (stream, continuation) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
        let number = state.withLock { state in
            state.next += 1
            state.waiting[state.next] = continuation
            return state.next
        }
        continuation.onTermination = { [weak self] _ in self?.state.withLock { $0.waiting[number] = nil } }
        continuation.yield()
        return stream
    }

    func lookForMail() {
        for continuation in state.withLock({ Array($0.waiting.values) }) { continuation.yield() }
    }

    func subscribe(group: String, id: String) -> AsyncStream<MessageDelivery> {
        let (stream, continuation) = AsyncStream.makeStream(of: MessageDelivery.self)
        let box = Box(continuation, id: id)
        continuation.onTermination = { [weak self] _ in self?.remove(box, from: group) }
        let (previous, isClosed) = state.withLock { state in
            let previous = state.groups[group]?.first { $0.id == id }
            if !state.isClosed {
                state.groups[group, default: []].removeAll { $0.id == id }
                state.groups[group, default: []].append(box)
            }
            return (previous, state.isClosed)
        }
        previous?.stream.finish()
        if isClosed { continuation.finish() } else { lookForMail() }
        return stream
    }

    private func remove(_ box: Box, from group: String) {
        state.withLock { state in
            state.groups[group]?.removeAll { $0 === box }
            if state.groups[group]?.isEmpty ?? false { state.groups[group] = nil }
        }
    }

    /// The channels for which there is somebody with room.
    var channels: [String] {
        state.withLock { state in
            state.groups.flatMap { group, boxes in
                let free = boxes.filter { $0.outstanding.withLock { $0 < Self.room } }
                let anybody = free.isEmpty ? [] : [PromiseAddress.any(group: group, preferred: nil).channel]
                return anybody + free.map { PromiseAddress.one(group: group, id: $0.id).channel }
            }
        }
    }

    /// Gives a message to somebody at the address; false when nobody is there. `ended` is called once, with whether it was
    /// taken.
    func deliver(
        _ message: PromiseMessage,
        to address: PromiseAddress,
        ended: @escaping @Sendable (_ isTaken: Bool) -> Void
    ) -> Bool {
        guard let box = box(for: address) else { return false }
        box.outstanding.withLock { $0 += 1 }
        box.stream.yield(
            MessageDelivery(message) { [weak self] isTaken in
                let wasFull = box.outstanding.withLock { outstanding in
                    outstanding -= 1
                    return outstanding == Self.room - 1
                }
                ended(isTaken)
                if wasFull || !isTaken { self?.lookForMail() }
            }
        )
        return true
    }

    private func box(for address: PromiseAddress) -> Box? {
        state.withLock { state in
            switch address {
            case .web: return nil
            case .one(let group, let id): return state.groups[group]?.first { $0.id == id }
            case .any(let group, let preferred):
                guard let boxes = state.groups[group], !boxes.isEmpty else { return nil }
                if let preferred, let box = boxes.first(where: { $0.id == preferred }) { return box }
                // In turn, so that work is spread; who is behind is passed over.
                state.turn &+= 1
                let start = Int(UInt(bitPattern: state.turn) % UInt(boxes.count))
                let inTurn = boxes[start...] + boxes[..<start]
                return inTurn.first { $0.outstanding.withLock { $0 < Self.room } } ?? inTurn.first
            }
        }
    }

    func close() {
        let boxes = state.withLock { state in
            defer {
                state.groups = [:]
                state.isClosed = true
            }
            return state.groups.values.flatMap { $0 }
        }
        for box in boxes { box.stream.finish() }
    }
}
