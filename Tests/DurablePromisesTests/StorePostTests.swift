import PostgreSQL
import Synchronization
import TestSupport
import Testing

@testable import DurablePromises

/// Takes what goes to `http://fast`, refuses what goes to `http://away`, and lets everybody else wait until it is cancelled.
private final class Hook: MessageWebhook {
    private let posts = Mutex<[String]>([])

    var all: [String] { posts.withLock { $0 } }

    func deliver(_ message: PromiseMessage, to address: String) async -> Bool {
        posts.withLock { $0.append(address) }
        if ["http://fast", "http://away"].contains(address) { return address == "http://fast" }
        try? await Task.sleep(for: .seconds(3600))
        return false
    }
}

@Suite("messages of the store to URLs")
struct StorePostTests {
    private func create(_ count: Int, for address: String, _ store: PromiseStore) async throws {
        for number in 0..<count {
            _ = try await store.createPromise(
                id: "\(address.dropFirst(7))\(number)", timeoutAt: .max, tags: [PromiseTag.target: address])
        }
    }

    @Test("servers elsewhere that do not answer keep no message from streams")
    func streams() async throws {
        let hook = Hook()
        try await withReplicas(webhook: hook) { first, _ in
            let messages = Received(first.deliveries(group: "workers", id: "w"))
            // More than are posted at the same time by both.
            try await create(40, for: "http://slow", first)
            try await eventually("all who can are waiting") { hook.all.count == 32 }
            _ = try await first.createPromise(id: "p", timeoutAt: .max, tags: StoreMessageTests.tags)
            try await eventually("delivered") { messages.all.count == 1 }
            #expect(hook.all.count == 32)
        }
    }

    @Test("each place is free again as soon as its post has ended, and what arrived is removed at once")
    func places() async throws {
        let hook = Hook()
        try await withReplicas(webhook: hook) { first, _ in
            try await create(15, for: "http://slow", first)
            try await eventually("they are posted") { hook.all.count == 15 }
            try await create(100, for: "http://fast", first)
            try await eventually("the others have arrived") {
                try await rowCount("message WHERE address = 'http://fast'", first) == 0
            }
            #expect(hook.all.count { $0 == "http://fast" } == 100)
            #expect(try await rowCount("message", first) == 15)
        }
    }

    @Test("who does not take a message is left alone for longer each time, though the task is offered again meanwhile")
    func away() async throws {
        let hook = Hook()
        let clock = ManualClock(1_767_225_600_000)
        try await withReplicas(clock: .manual { clock.value }, webhook: hook) { first, _ in
            try await create(1, for: "http://away", first)
            for (attempt, pause) in ([30, 60, 120, 240, 480, 900, 900] as [Int64]).enumerated() {
                try await eventually("attempt \(attempt)") {
                    first.mailroom.lookForMail()
                    return hook.all.count == attempt + 1
                }
                let end = clock.value + pause * 1000
                #expect(try await rowCount("message WHERE taken_until = \(end)", first) == 1)
                clock.value = end - 1
                try await eventually("offered again") {
                    try await rowCount("task WHERE due_at > \(end)", first) == 1
                }
                first.mailroom.lookForMail()
                #expect(try await rowCount("message WHERE taken_until = \(end)", first) == 1)
                #expect(hook.all.count == attempt + 1)
                clock.value = end
            }
        }
    }
}
