/// Gives messages to the streams of this process.
struct StreamPump {
    private let store: PromiseStore
    private let outbox: Outbox

    /// How many messages are taken at a time.
    private static let batch = 500

    init(_ store: PromiseStore) {
        self.store = store
        outbox = Outbox(store, .streams)
    }

    func run() async throws -> Never {
        for await _ in store.mailroom.signals() where !store.isFrozen { try await pump() }
        throw CancellationError()
    }

    /// Removes what arrived, and delivers all that can be.
    private func pump() async throws {
        try await outbox.settle()
        while true {
            let channels = store.mailroom.channels
            guard !channels.isEmpty else { return }
            let taken = try await outbox.take(Self.batch, of: channels)
            for each in taken { deliver(each) }
            try await outbox.settle()
            if taken.count < Self.batch { return }
        }
    }

    private func deliver(_ taken: Outbox.Taken) {
        guard let message = taken.message, let address = PromiseAddress(taken.address) else {
            return outbox.finish(taken, isTaken: true)
        }
        let isGiven = store.mailroom.deliver(message, to: address) { outbox.finish(taken, isTaken: $0) }
        if !isGiven { outbox.finish(taken, isTaken: false) }
    }
}
