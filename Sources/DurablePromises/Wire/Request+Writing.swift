extension Request {
    /// The request as JSON.
    public var json: [UInt8] {
        var writer = JSONWriter()
        write(to: &writer)
        return writer.bytes
    }

    func write(to writer: inout JSONWriter) {
        writer.object { writer in
            writer.member("kind", operation.kind)
            writer.member("head") { writer in
                writer.object { writer in
                    writer.member("corrId", head.corrId)
                    writer.member("version", head.version)
                    writer.member("auth", head.auth)
                    writer.member("resonate:debug_time", head.debugTime)
                }
            }
            writer.member("data") { writer in writer.object { operation.writeData(to: &$0) } }
        }
    }
}

extension PromiseOperation {
    /// Writes the members of the data.
    fileprivate func writeData(to writer: inout JSONWriter) {
        switch self {
        case .getPromise(let id), .getTask(let id), .haltTask(let id), .continueTask(let id), .getSchedule(let id),
            .deleteSchedule(let id):
            writer.member("id", id)
        case .createPromise(let creation):
            writer.member("id", creation.id)
            writer.member("timeoutAt", creation.timeoutAt)
            writer.member("param", creation.param)
            writer.member("tags", creation.tags)
        case .settlePromise(let settlement):
            writer.member("id", settlement.id)
            writer.member("state", settlement.state.rawValue)
            writer.member("value", settlement.value)
        case .registerCallback(let callback):
            writer.member("awaited", callback.awaited)
            writer.member("awaiter", callback.awaiter)
        case .registerListener(let listener):
            writer.member("awaited", listener.awaited)
            writer.member("address", listener.address)
        case .searchPromises(let search), .searchTasks(let search), .searchSchedules(let search):
            writer.member("state", search.state)
            if !search.tags.isEmpty { writer.member("tags", search.tags) }
            writer.member("limit", search.limit)
            writer.member("cursor", search.cursor)
        case .createTask(let pid, let ttl, let action):
            writer.member("pid", pid)
            writer.member("ttl", ttl)
            writer.member("action") { action.write(to: &$0) }
        case .acquireTask(let task, let pid, let ttl):
            writer.members(of: task)
            writer.member("pid", pid)
            writer.member("ttl", ttl)
        case .heartbeat(let pid, let tasks):
            writer.member("pid", pid)
            writer.member("tasks") { writer in
                writer.array(tasks) { writer, task in writer.object { $0.members(of: task) } }
            }
        case .fence(let task, let action), .fulfillTask(let task, let action):
            writer.members(of: task)
            writer.member("action") { action.write(to: &$0) }
        case .suspendTask(let task, let actions):
            writer.members(of: task)
            writer.member("actions") { writer in writer.array(actions) { $1.write(to: &$0) } }
        case .releaseTask(let task): writer.members(of: task)
        case .createSchedule(let creation):
            writer.member("id", creation.id)
            writer.member("cron", creation.cron)
            writer.member("promiseId", creation.promiseId)
            writer.member("promiseTimeout", creation.promiseTimeout)
            writer.member("promiseParam", creation.promiseParam)
            writer.member("promiseTags", creation.promiseTags)
        case .tick(let time): writer.member("time", time)
        case .startDebugging, .stopDebugging, .resetForDebugging, .snapshot, .malformed, .unknown: break
        }
    }
}

extension JSONWriter {
    fileprivate mutating func members(of task: TaskReference) {
        member("id", task.id)
        member("version", task.version)
    }
}
