internal import Logging
internal import PostgreSQL

extension PromiseStore {
    /// Serves timers and messages, and removes what is kept for long enough, until the task is cancelled. When the
    /// database is away it goes on when it is back.
    public func run() async {
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await self.repeating("timers") { try await self.sweep() } }
            group.addTask { await self.repeating("messages") { try await self.pumpMessages() } }
            group.addTask { await self.repeating("notifications") { try await self.listen() } }
            if let retention = settings.retention {
                group.addTask { await self.repeating("retention") { try await Retention(self, retention).run() } }
            }
        }
    }

    private func repeating(_ what: String, _ body: () async throws -> Void) async {
        var failures = 0
        while !Task.isCancelled {
            do {
                try await body()
                failures = 0
            } catch {
                guard !Task.isCancelled else { return }
                failures += 1
                let level: Logger.Level = failures == 1 ? .warning : .debug
                logger.log(level: level, "\(what) will be tried again", metadata: ["error": "\(error)"])
                try? await Task.sleep(for: .milliseconds(min(5000, 100 << min(failures, 6))))
            }
        }
    }

    // MARK: Timers

    /// Lets happen what is due, then rests until something may be.
    private func sweep() async throws {
        if !isFrozen { try await fireTimers() }
        var rest = settings.sweepInterval
        if let next = try await nextTimer() { rest = min(rest, .milliseconds(max(1, next - (try await now())))) }
        // Several replicas need not look at the same moment.
        try await Task.sleep(for: rest * Double.random(in: 0.9...1.1))
    }

    /// Lets happen everything that is due.
    ///
    /// - Parameter time: what time it shall be, in milliseconds since 1970, when it is not the clock's.
    public func fireTimers(at time: Int64? = nil) async throws {
        while true {
            let now = if let time { time } else { try await self.now() }
            let due = try await dueEvents(now)
            try await withThrowingTaskGroup(of: Void.self) { group in
                for event in due {
                    let partitions = Set(
                        event.promiseIDs.map { Partition.ofPromise($0) }
                            + (event.scheduleID.map { [Partition.ofSchedule($0)] } ?? [])
                    )
                    group.addTask { _ = try await self.lanes.perform(.event(event), partitions, at: time) }
                }
                try await group.waitForAll()
            }
            if due.count < Self.sweepBatch { return }
        }
    }

    private static let sweepBatch = 1000

    private func dueEvents(_ now: Int64) async throws -> [PromiseEvent] {
        let rows = try await pool.withConnection { connection in
            let statement = PostgresStatement(
                """
                SELECT t.kind, t.id, s.promise_id, s.next_run_at
                FROM (SELECT kind, id FROM sluice.timer WHERE at <= $1::bigint ORDER BY at LIMIT \(Self.sweepBatch)) t
                LEFT JOIN sluice.schedule s ON t.kind = 'schedule' AND s.id = t.id
                """,
                [.integer(now)],
                isPrepared: true
            )
            guard let outcome = try await connection.pipeline([statement]).first else { return [PostgresRow]() }
            return try outcome.get().rows
        }
        return try rows.compactMap { row in
            let id = try row.text("id")
            switch TimerChange.Kind(rawValue: try row.text("kind")) {
            case .promise: return .deadline(promise: id)
            case .task: return .wake(task: id)
            case .schedule:
                guard let template = row["promise_id"] else { return nil }
                let time = try row.integer("next_run_at")
                return .tick(schedule: id, promise: ScheduleRecord.promiseId(template, schedule: id, at: time))
            case nil: return nil
            }
        }
    }

    private func nextTimer() async throws -> Int64? {
        try await pool.withConnection { connection in
            let row = try await connection.query("SELECT min(at) AS next FROM sluice.timer").row()
            return row["next"] == nil ? nil : try row.integer("next")
        }
    }

    /// What time it is, in milliseconds since 1970.
    func now() async throws -> Int64 {
        if case .manual(let now) = settings.clock { return now() }
        return try await pool.withConnection { connection in
            let sql = "SELECT floor(extract(epoch FROM clock_timestamp()) * 1000)::bigint AS now"
            return try await connection.query(sql).row().integer("now")
        }
    }

    // MARK: Messages

    private func pumpMessages() async throws {
        let pump = MessagePump(self)
        try await pump.pump()
        try await withThrowingTaskGroup(of: Void.self) { group in
            // What another replica left is found without a notification as well.
            group.addTask {
                while true {
                    try await Task.sleep(for: .seconds(1) * Double.random(in: 0.9...1.1))
                    self.mailroom.lookForMail()
                }
            }
            defer { group.cancelAll() }
            for await _ in mailroom.signals where !isFrozen { try await pump.pump() }
            try Task.checkCancellation()
        }
    }

    /// Other replicas tell when they have written a message. A hint only.
    private func listen() async throws {
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
