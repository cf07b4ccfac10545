internal import Logging
internal import PostgreSQL

extension PromiseStore {
    /// Lets happen what is due, again and again.
    func sweep() async throws -> Never {
        while true {
            if !isFrozen { try await fireTimers() }
            // Several replicas need not look at the same moment.
            try await Task.sleep(for: try await rest() * Double.random(in: 0.9...1.1))
        }
    }

    /// For how long there is nothing to look for.
    private func rest() async throws -> Duration {
        guard !isFrozen, let next = try await nextTimer() else { return settings.sweepInterval }
        return Self.rest(until: next, from: try await now(), atMost: settings.sweepInterval)
    }

    /// What is due though everything has been looked at, came meanwhile, or nothing came of it.
    static func rest(until next: Int64, from now: Int64, atMost longest: Duration) -> Duration {
        min(longest, next > now ? .milliseconds(next - now) : .milliseconds(50))
    }

    private func nextTimer() async throws -> Int64? {
        try await pool.withConnection { connection in
            let row = try await connection.query("SELECT min(at) AS next FROM sluice.timer").row()
            return row["next"] == nil ? nil : try row.integer("next")
        }
    }

    /// Lets happen everything that is due, each once. What fails by its own fault is put off, and the rest happens.
    ///
    /// - Parameter time: what time it shall be, in milliseconds since 1970, when it is not the clock's.
    public func fireTimers(at time: Int64? = nil) async throws {
        var last: DueTimer?
        while true {
            let now = if let time { time } else { try await self.now() }
            let due = try await DueTimer.all(pool, at: now, after: last)
            let failures = await fire(due, at: time)
            let own = failures.filter { $0.error.isOfItsRecords }
            for failure in own {
                logger.error(
                    "a timer failed, and is put off by \(Self.putOff) ms",
                    metadata: [
                        "kind": "\(failure.timer.kind.rawValue)", "id": "\(failure.timer.id)",
                        "error": "\(failure.error)",
                    ]
                )
            }
            try await DueTimer.move(own.map(\.timer), to: now + Self.putOff, pool)
            if let other = failures.first(where: { !$0.error.isOfItsRecords }) { throw other.error }
            if due.count < DueTimer.batch { return }
            last = due.last
        }
    }

    /// For how long, in milliseconds, a timer rests that failed.
    private static let putOff: Int64 = 30_000

    private func fire(_ due: [DueTimer], at time: Int64?) async -> [(timer: DueTimer, error: any Error)] {
        await withTaskGroup(of: (DueTimer, any Error)?.self) { group in
            for timer in due {
                group.addTask {
                    do {
                        _ = try await self.lanes.perform(.event(timer.event), timer.event.partitions, at: time)
                        return nil
                    } catch {
                        return (timer, error)
                    }
                }
            }
            return await group.reduce(into: []) { failures, failure in
                if let failure { failures.append(failure) }
            }
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
}

extension PromiseEvent {
    fileprivate var partitions: Set<Int64> {
        Set(promiseIDs.map { Partition.ofPromise($0) } + (scheduleID.map { [Partition.ofSchedule($0)] } ?? []))
    }
}
