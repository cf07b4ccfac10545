internal import Logging
internal import PostgreSQL

extension PromiseStore {
    /// Serves timers and messages, and removes what is kept for long enough, until the task is cancelled. When the
    /// database is away it goes on when it is back. May be repeated.
    public func run() async {
        let streams = StreamPump(self)
        let posts = settings.webhook.map { PostPump(self, $0) }
        await withDiscardingTaskGroup { group in
            group.addTask { await self.repeating("timers") { try await self.sweep() } }
            group.addTask { await self.repeating("messages for streams") { try await streams.run() } }
            if let posts { group.addTask { await self.repeating("messages for URLs") { try await posts.run() } } }
            group.addTask { await self.lookForMail() }
            group.addTask { await self.repeating("notifications") { try await self.listen() } }
            group.addTask { await self.repeating("the outbox") { try await StaleMessages(self).run() } }
            if let retention = settings.retention {
                group.addTask {
                    await self.repeating("retention") { while true { try await Retention(self, retention).run() } }
                }
            }
        }
    }

    /// Does something that goes on until it fails, and begins again after a pause, longer each time.
    private func repeating(_ what: String, _ body: () async throws -> Never) async {
        var failures = 0
        while !Task.isCancelled {
            let began = ContinuousClock.now
            do {
                try await body()
            } catch {
                guard !Task.isCancelled else { return }
                failures = ContinuousClock.now - began > Self.healthy ? 1 : failures + 1
                let level: Logger.Level = failures == 1 ? .warning : .debug
                logger.log(level: level, "\(what) will be tried again", metadata: ["error": "\(error)"])
                try? await Task.sleep(for: .milliseconds(min(5000, 100 << min(failures, 6))))
            }
        }
    }

    /// What went on for so long before it failed had not failed again.
    private static let healthy: Duration = .seconds(10)

    // MARK: Messages

    /// What another replica left is found without a notification as well.
    private func lookForMail() async {
        while !Task.isCancelled {
            mailroom.lookForMail()
            try? await Task.sleep(for: .seconds(1) * Double.random(in: 0.9...1.1))
        }
    }

    /// Other replicas tell when they have written a message. A hint only.
    private func listen() async throws -> Never {
        let connection = try await PostgresConnection.connect(pool.configuration)
        do {
            let notifications = await connection.notifications
            try await connection.listen("sluice_message")
            await withTaskCancellationHandler {
                for await _ in notifications { mailroom.lookForMail() }
            } onCancel: {
                Task { await connection.close() }
            }
        } catch {
            await connection.close()
            throw error
        }
        try Task.checkCancellation()
        throw PromiseError(.unavailable, "the connection that listens for messages was lost")
    }
}
