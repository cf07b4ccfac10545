extension PromiseStateMachine {
    func promise(_ id: String) throws(Refusal) -> PromiseRecord {
        guard let promise = records.promises[id] else { throw Refusal(404, "there is no promise \(id)") }
        return promise.projected(at: now)
    }

    mutating func create(_ creation: PromiseCreation) throws(Refusal) -> PromiseRecord {
        if let flaw = creation.flaw(rules) { throw Refusal(400, flaw) }
        if records.promises[creation.id] != nil { return try promise(creation.id) }
        let isLate = creation.timeoutAt <= now
        let promise = PromiseRecord(
            id: creation.id,
            param: creation.param ?? PromiseValue(),
            tags: creation.tags ?? [:],
            timeoutAt: creation.timeoutAt,
            createdAt: isLate ? creation.timeoutAt : now
        ).projected(at: now)
        records.promises[promise.id] = promise
        guard promise.tags[PromiseTag.target] != nil else { return promise }
        if isLate {
            records.tasks[promise.id] = TaskRecord(id: promise.id, state: .fulfilled, version: 0)
        } else {
            offer(TaskRecord(id: promise.id, state: .pending, version: 0), at: now)
        }
        return promise
    }

    mutating func settle(_ settlement: PromiseSettlement) throws(Refusal) -> PromiseRecord {
        if let flaw = settlement.flaw { throw Refusal(400, flaw) }
        var promise = try promise(settlement.id)
        guard promise.state == .pending else { return promise }
        promise.state = settlement.state
        promise.value = settlement.value ?? PromiseValue()
        promise.settledAt = now
        close(promise)
        return promise
    }

    /// Settles each promise whose deadline has passed, with all that follows.
    mutating func expire(_ ids: Set<String>) {
        for id in ids {
            guard let promise = records.promises[id], promise.state == .pending, promise.timeoutAt <= now else {
                continue
            }
            close(promise.projected(at: now))
        }
    }

    /// A promise is settled: its task is over and waits for nothing, those who wait for it are resumed, those who listen
    /// are told.
    private mutating func close(_ promise: PromiseRecord) {
        records.promises[promise.id] = promise
        if let task = records.tasks[promise.id], task.state != .fulfilled {
            records.tasks[promise.id] = task.unheld(.fulfilled)
        }
        for callback in records.callbacks where callback.awaiter == promise.id { records.callbacks.remove(callback) }
        for callback in records.callbacks where callback.awaited == promise.id {
            records.callbacks.remove(callback)
            resume(callback.awaiter)
        }
        for listener in records.listeners where listener.awaited == promise.id {
            records.listeners.remove(listener)
            tell(.unblock(promise: promise.id, address: listener.address))
        }
    }

    // MARK: Waiting

    /// The promise, if others may wait for it.
    private func awaitable(_ id: String) throws(Refusal) -> PromiseRecord {
        let promise = try promise(id)
        guard promise.isExternal else {
            throw Refusal(
                422,
                "nobody may wait for \(id): it has none of \(PromiseTag.target), \(PromiseTag.timer), "
                    + "\(PromiseTag.external), \(PromiseTag.scope)=global"
            )
        }
        return promise
    }

    /// What is wrong with a callback, whatever is stored.
    func flaw(_ callback: Callback) -> String? {
        for id in [callback.awaited, callback.awaiter] where !Identifier.isValid(id) {
            return "a promise's id \(Identifier.rule); this one is not: \(id)"
        }
        if callback.awaited == callback.awaiter { return "a promise cannot wait for itself" }
        guard Lineage.isOneFamily([callback.awaited, callback.awaiter]) else {
            return "\(callback.awaiter) cannot wait for \(callback.awaited), which has another origin"
        }
        return nil
    }

    mutating func register(_ callback: Callback) throws(Refusal) -> PromiseRecord {
        if let flaw = flaw(callback) { throw Refusal(400, flaw) }
        guard records.promises[callback.awaited] != nil else {
            throw Refusal(404, "there is no promise \(callback.awaited)")
        }
        guard let awaiter = records.promises[callback.awaiter]?.projected(at: now) else {
            throw Refusal(422, "there is no promise \(callback.awaiter) to wait")
        }
        guard awaiter.tags[PromiseTag.target] != nil else {
            throw Refusal(422, "\(callback.awaiter) has no task that could be resumed")
        }
        let awaited = try awaitable(callback.awaited)
        if awaited.state == .pending && awaiter.state == .pending { records.callbacks.insert(callback) }
        return awaited
    }

    /// As ``register(_:)-(Callback)`` inside a suspension: what is missing cannot be processed.
    func awaited(by callback: Callback) throws(Refusal) -> PromiseRecord {
        guard records.promises[callback.awaited] != nil else {
            throw Refusal(422, "there is no promise \(callback.awaited) to wait for")
        }
        return try awaitable(callback.awaited)
    }

    mutating func register(_ listener: Listener) throws(Refusal) -> PromiseRecord {
        guard PromiseAddress(listener.address) != nil else {
            throw Refusal(400, "a listener has \(PromiseAddress.rule)")
        }
        let promise = try awaitable(listener.awaited)
        if promise.state == .pending { records.listeners.insert(listener) }
        return promise
    }
}
