/// Each request as a call: what was refused is thrown as a ``PromiseError``.
extension PromiseClient {
    // MARK: Promises

    /// Creates a promise. When there is one of that id already, that one is returned, whatever it is.
    public func createPromise(
        id: String,
        timeoutAt: Int64,
        param: PromiseValue = PromiseValue(),
        tags: [String: String] = [:]
    ) async throws -> PromiseRecord {
        let creation = PromiseCreation(id: id, timeoutAt: timeoutAt, param: param, tags: tags)
        return try Self.promise(try await process(Request(.createPromise(creation))).get())
    }

    /// The promise as it is now; nil when there is none.
    public func getPromise(id: String) async throws -> PromiseRecord? {
        try Self.found(try await process(Request(.getPromise(id: id))))?.promise
    }

    /// Settles a promise; one that is settled already is returned as it is. Nil when there is none.
    public func settlePromise(
        id: String,
        state: PromiseState,
        value: PromiseValue = PromiseValue()
    ) async throws -> PromiseRecord? {
        let settlement = PromiseSettlement(id: id, state: state, value: value)
        return try Self.found(try await process(Request(.settlePromise(settlement))))?.promise
    }

    /// Has `address` told when a promise is settled. The answer is the promise as it is: when it is settled already nobody
    /// is told. Throws `notFound`, `unprocessable` for a promise that nobody may wait for.
    public func registerListener(on id: String, address: String) async throws -> PromiseRecord {
        let request = Request(.registerListener(Listener(awaited: id, address: address)))
        return try Self.promise(try await process(request).get())
    }

    /// A page of promises, in the order of their ids, and where the next one begins.
    public func searchPromises(_ search: PromiseSearch) async throws -> (promises: [PromiseRecord], cursor: String?) {
        let data = try await process(Request(.searchPromises(search))).get()
        return (data.promises ?? [], data.cursor)
    }

    // MARK: Tasks

    /// The task as it is now; nil when there is none.
    public func getTask(id: String) async throws -> TaskRecord? {
        try Self.found(try await process(Request(.getTask(id: id))))?.task
    }

    /// Creates a promise, or finds it, and acquires its task for `ttl` milliseconds.
    ///
    /// `tags` must have a target. When the promise is settled already, the claim is fulfilled and there is no lease. Throws
    /// `conflict` when somebody else holds the task.
    public func createTask(
        id: String,
        timeoutAt: Int64,
        param: PromiseValue = PromiseValue(),
        tags: [String: String],
        processID: String,
        ttl: Int64
    ) async throws -> TaskClaim {
        let creation = PromiseCreation(id: id, timeoutAt: timeoutAt, param: param, tags: tags)
        let action = Request(.createPromise(creation))
        return try Self.claim(try await process(Request(.createTask(pid: processID, ttl: ttl, action: action))))
    }

    /// Acquires a task that is nobody's at that version. Throws `conflict` otherwise, `notFound` when there is none.
    public func acquireTask(id: String, version: Int64, pid: String, ttl: Int64) async throws -> TaskClaim {
        let task = TaskReference(id: id, version: version)
        return try Self.claim(try await process(Request(.acquireTask(task, pid: pid, ttl: ttl))))
    }

    /// Extends the leases that `pid` still has by their own length. Those that are lost are passed over in silence.
    public func heartbeat(pid: String, tasks: [TaskReference]) async throws {
        _ = try await process(Request(.heartbeat(pid: pid, tasks: tasks))).get()
    }

    /// Gives a task back, so that anybody may acquire it. Throws `conflict` when the lease is lost.
    public func releaseTask(id: String, version: Int64) async throws {
        _ = try await process(Request(.releaseTask(TaskReference(id: id, version: version)))).get()
    }

    /// Puts a task that is held to sleep until one of `awaited` is settled. When one is already, it stays held.
    ///
    /// - Returns: Nil when it sleeps and the lease is gone; the promises of its branch when it is still held. Throws
    ///   `conflict` when the lease is lost.
    public func suspendTask(_ task: TaskReference, until awaited: [String]) async throws -> [PromiseRecord]? {
        let actions = awaited.map { Request(.registerCallback(Callback(awaited: $0, awaiter: task.id))) }
        let response = try await process(Request(.suspendTask(task, actions: actions)))
        let data = try response.get()
        return response.status == 300 ? data.preload ?? [] : nil
    }

    /// Takes a task out of service until ``continueTask(id:)``. Throws `conflict` when its promise is settled.
    public func haltTask(id: String) async throws {
        _ = try await process(Request(.haltTask(id: id))).get()
    }

    /// Puts a task that was halted back into service. Throws `conflict` when it was not.
    public func continueTask(id: String) async throws {
        _ = try await process(Request(.continueTask(id: id))).get()
    }

    /// Settles the promise of a task that is held, and with it the task. Throws `conflict` when the lease is lost.
    public func fulfillTask(
        id: String,
        version: Int64,
        state: PromiseState,
        value: PromiseValue = PromiseValue()
    ) async throws -> PromiseRecord {
        let action = Request(.settlePromise(PromiseSettlement(id: id, state: state, value: value)))
        let request = Request(.fulfillTask(TaskReference(id: id, version: version), action: action))
        return try Self.promise(try await process(request).get())
    }

    // MARK: Steps of a task

    /// Creates another promise while `task` is held. Throws `conflict` when the lease is lost.
    public func fencedCreate(
        task: TaskClaim,
        id: String,
        timeoutAt: Int64,
        param: PromiseValue = PromiseValue(),
        tags: [String: String] = [:]
    ) async throws -> PromiseRecord {
        let creation = PromiseCreation(id: id, timeoutAt: timeoutAt, param: param, tags: tags)
        return try await fenced(task, .createPromise(creation))
    }

    /// Settles another promise while `task` is held; one that is settled already is returned as it is. Throws `conflict`
    /// when the lease is lost, `notFound` when there is no such promise.
    public func fencedSettle(
        task: TaskClaim,
        id: String,
        state: PromiseState,
        value: PromiseValue = PromiseValue()
    ) async throws -> PromiseRecord {
        try await fenced(task, .settlePromise(PromiseSettlement(id: id, state: state, value: value)))
    }

    private func fenced(_ task: TaskClaim, _ operation: PromiseOperation) async throws -> PromiseRecord {
        let request = Request(.fence(task.reference, action: Request(operation)))
        guard let inner = try await process(request).get().action else { throw Self.incomplete }
        return try Self.promise(try inner.get())
    }

    // MARK: Answers

    private static var incomplete: PromiseError {
        PromiseError(.incompatible, "an answer lacks the record that it is about")
    }

    private static func found(_ response: Response) throws -> ResponseData? {
        response.status == 404 ? nil : try response.get()
    }

    private static func promise(_ data: ResponseData) throws -> PromiseRecord {
        guard let promise = data.promise else { throw incomplete }
        return promise
    }

    static func claim(_ response: Response) throws -> TaskClaim {
        let data = try response.get()
        guard let task = data.task, let promise = data.promise else { throw incomplete }
        return TaskClaim(task: task, promise: promise, preload: data.preload ?? [])
    }
}
