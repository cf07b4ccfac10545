internal import Synchronization

/// Posts messages to servers elsewhere, several at the same time. Each place is free again as soon as its post has ended,
/// however slow the others are.
final class PostPump: Sendable {
    private let store: PromiseStore
    private let webhook: any MessageWebhook
    private let outbox: Outbox
    private let underway = Mutex(0)

    private static let places = 16

    init(_ store: PromiseStore, _ webhook: any MessageWebhook) {
        self.store = store
        self.webhook = webhook
        outbox = Outbox(store, .posts)
    }

    func run() async throws -> Never {
        try await withThrowingDiscardingTaskGroup { group in
            for await _ in store.mailroom.signals() where !store.isFrozen {
                try await outbox.settle()
                let free = Self.places - underway.withLock { $0 }
                guard free > 0 else { continue }
                for taken in try await outbox.take(free, of: [PromiseAddress.web("").channel]) {
                    guard let message = taken.message else {
                        outbox.finish(taken, isTaken: true)
                        continue
                    }
                    underway.withLock { $0 += 1 }
                    group.addTask { [self] in
                        // What was not taken is tried again when the hold is over: not at once.
                        let isTaken = await webhook.deliver(message, to: taken.address)
                        underway.withLock { $0 -= 1 }
                        if isTaken { outbox.finish(taken, isTaken: true) }
                        store.mailroom.lookForMail()
                    }
                }
            }
        }
        throw CancellationError()
    }
}
