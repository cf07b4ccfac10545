internal import JSON

extension Request {
    /// Reads a request. What cannot be understood is an operation as well, `malformed`, with as much of the envelope as
    /// could be read, so that the answer carries the request's kind and number.
    public init(json: some Sequence<UInt8>) {
        let request = json.withContiguousStorageIfAvailable { Request(json: UnsafeRawBufferPointer($0)) }
        self = request ?? Array(json).withUnsafeBytes { Request(json: $0) }
    }

    /// As ``init(json:)-(Sequence)``, of bytes that are in one place.
    public init(json: UnsafeRawBufferPointer) {
        do throws(JSONReader.Flaw) {
            self = try JSONReader.read(json) { (reader) throws(JSONReader.Flaw) in try Self.envelope(&reader) }
        } catch {
            self.init(.malformed(kind: "unknown", reason: "the request is not JSON: \(error)"))
        }
    }

    private typealias Flaw = JSONReader.Flaw

    private static func envelope(_ reader: inout JSONReader) throws(JSONReader.Flaw) -> Request {
        guard reader.isObject else {
            try reader.skip()
            return Request(.malformed(kind: "unknown", reason: "a request is a JSON object with kind, head and data"))
        }
        var kind: String?
        var head: Head?
        var problem: String?
        var data: JSONReader?
        try reader.object { (key, reader) throws(Flaw) in
            // What has the wrong shape is passed over, and told.
            var member = reader
            do throws(Flaw) {
                switch key {
                case "kind": kind = try member.string()
                case "head": head = try Self.head(&member)
                case "data":
                    data = try member.deferred()
                    if !(data?.isObject ?? false) { data = nil }
                default: try member.skip()
                }
                reader = member
            } catch {
                problem = problem ?? "\(key): \(error)"
                try reader.skip()
            }
        }
        let name = kind.flatMap { $0.isEmpty ? nil : $0 } ?? "unknown"
        func malformed(_ reason: String) -> Request {
            Request(.malformed(kind: name, reason: reason), head: head ?? Head())
        }
        if let problem { return malformed("the envelope is not of its shape: \(problem)") }
        guard let kind, !kind.isEmpty else { return malformed("the request has no kind") }
        guard let head else { return malformed("the request has no head") }
        guard var data else { return malformed("the request's data are not an object") }
        do throws(Flaw) {
            return Request(try operation(kind, &data), head: head)
        } catch {
            return malformed("the data are not of the shape of \(kind): \(error)")
        }
    }

    private static func head(_ reader: inout JSONReader) throws(JSONReader.Flaw) -> Head {
        var head = Head(version: "")
        try reader.object { (key, reader) throws(Flaw) in
            switch key {
            case "corrId": head.corrId = try reader.string()
            case "version": head.version = try reader.string()
            case "auth": head.auth = try reader.optional { (reader) throws(Flaw) in try reader.string() }
            case "resonate:debug_time":
                head.debugTime = try reader.optional { (reader) throws(Flaw) in try reader.integer() }
            default: try reader.skip()
            }
        }
        return head
    }

    private static func operation(
        _ kind: String,
        _ reader: inout JSONReader
    ) throws(JSONReader.Flaw) -> PromiseOperation {
        switch kind {
        case "debug.start": return .startDebugging
        case "debug.stop": return .stopDebugging
        case "debug.reset": return .resetForDebugging
        case "debug.snap": return .snapshot
        default: break
        }
        guard knownKinds.contains(kind) else { return .unknown(kind: kind) }
        let data = try RequestFields(reading: &reader)
        switch kind {
        case "promise.get": return .getPromise(id: try data.id())
        case "promise.create": return .createPromise(try data.creation())
        case "promise.settle": return .settlePromise(try data.settlement())
        case "promise.register_callback":
            let awaited = try data.require(data.awaited, "awaited")
            return .registerCallback(Callback(awaited: awaited, awaiter: try data.require(data.awaiter, "awaiter")))
        case "promise.register_listener":
            let awaited = try data.require(data.awaited, "awaited")
            return .registerListener(Listener(awaited: awaited, address: try data.require(data.address, "address")))
        case "promise.search": return .searchPromises(try data.search())
        case "task.get": return .getTask(id: try data.id())
        case "task.create":
            return .createTask(pid: try data.worker(), ttl: try data.lease(), action: try data.onlyAction())
        case "task.acquire":
            return .acquireTask(try data.reference(), pid: try data.worker(), ttl: try data.lease())
        case "task.heartbeat":
            return .heartbeat(pid: try data.worker(), tasks: try data.require(data.tasks, "tasks"))
        case "task.fence": return .fence(try data.reference(), action: try data.onlyAction())
        case "task.suspend":
            return .suspendTask(try data.reference(), actions: try data.require(data.actions, "actions"))
        case "task.fulfill": return .fulfillTask(try data.reference(), action: try data.onlyAction())
        case "task.release": return .releaseTask(try data.reference())
        case "task.halt": return .haltTask(id: try data.id())
        case "task.continue": return .continueTask(id: try data.id())
        case "task.search": return .searchTasks(try data.search())
        case "schedule.create": return .createSchedule(try data.scheduleCreation())
        case "schedule.get": return .getSchedule(id: try data.id())
        case "schedule.delete": return .deleteSchedule(id: try data.id())
        case "schedule.search": return .searchSchedules(try data.search())
        default: return .tick(time: try data.require(data.time, "time"))
        }
    }

    private static let knownKinds: Set<String> = [
        "promise.get", "promise.create", "promise.settle", "promise.register_callback", "promise.register_listener",
        "promise.search", "task.get", "task.create", "task.acquire", "task.heartbeat", "task.fence", "task.suspend",
        "task.fulfill", "task.release", "task.halt", "task.continue", "task.search", "schedule.create", "schedule.get",
        "schedule.delete", "schedule.search", "debug.tick",
    ]

    /// The request inside a request.
    static func action(_ reader: inout JSONReader) throws(JSONReader.Flaw) -> Request {
        try envelope(&reader)
    }
}
