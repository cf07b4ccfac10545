internal import JSON

/// What a response carries; each kind has its own part of it.
public struct ResponseData: Sendable, Hashable {
    public var promise: PromiseRecord?
    public var task: TaskRecord?
    /// Promises of the same branch as a task's, to save its worker the asking.
    public var preload: [PromiseRecord]?
    public var promises: [PromiseRecord]?
    public var tasks: [TaskRecord]?
    public var schedule: ScheduleRecord?
    public var schedules: [ScheduleRecord]?
    /// Where the next page of a search begins; absent on the last.
    public var cursor: String?
    /// What a server in debug mode keeps, as JSON; the whole of the data, and no part of it.
    public var snapshot: String?
    private var inner: [Response]?

    public init(
        promise: PromiseRecord? = nil,
        task: TaskRecord? = nil,
        preload: [PromiseRecord]? = nil,
        action: Response? = nil
    ) {
        self.promise = promise
        self.task = task
        self.preload = preload
        inner = action.map { [$0] }
    }

    public init(promises: [PromiseRecord], cursor: String?) {
        self.promises = promises
        self.cursor = cursor
    }

    public init(tasks: [TaskRecord], cursor: String?) {
        self.tasks = tasks
        self.cursor = cursor
    }

    public init(schedules: [ScheduleRecord], cursor: String?) {
        self.schedules = schedules
        self.cursor = cursor
    }

    public init(schedule: ScheduleRecord) {
        self.schedule = schedule
    }

    public init(snapshot: String) {
        self.snapshot = snapshot
    }

    /// The answer to the request inside the request.
    public var action: Response? { inner?.first }

    init(reading reader: inout JSONReader) throws(JSONReader.Flaw) {
        guard reader.isObject else {
            self.init(snapshot: try reader.raw())
            return
        }
        var data = ResponseData()
        try reader.object { (key, reader) throws(JSONReader.Flaw) in
            typealias Flaw = JSONReader.Flaw
            if try reader.isNull() { return }
            switch key {
            case "promise": data.promise = try PromiseRecord(reading: &reader)
            case "task": data.task = try TaskRecord(reading: &reader)
            case "preload":
                data.preload = try reader.list { (reader) throws(Flaw) in try PromiseRecord(reading: &reader) }
            case "promises":
                data.promises = try reader.list { (reader) throws(Flaw) in try PromiseRecord(reading: &reader) }
            case "tasks": data.tasks = try reader.list { (reader) throws(Flaw) in try TaskRecord(reading: &reader) }
            case "schedule": data.schedule = try ScheduleRecord(reading: &reader)
            case "schedules":
                data.schedules = try reader.list { (reader) throws(Flaw) in try ScheduleRecord(reading: &reader) }
            case "cursor": data.cursor = try reader.string()
            case "action": data.inner = [try Response(reading: &reader)]
            default: try reader.skip()
            }
        }
        self = data
    }

    func write(to writer: inout JSONWriter) {
        if let snapshot { return writer.raw(snapshot) }
        writer.object { writer in
            if let task { writer.member("task") { task.write(to: &$0) } }
            if let promise { writer.member("promise") { promise.write(to: &$0) } }
            if let action { writer.member("action") { action.write(to: &$0) } }
            if let preload { writer.member("preload") { writer in writer.array(preload) { $1.write(to: &$0) } } }
            if let promises { writer.member("promises") { writer in writer.array(promises) { $1.write(to: &$0) } } }
            if let tasks { writer.member("tasks") { writer in writer.array(tasks) { $1.write(to: &$0) } } }
            if let schedule { writer.member("schedule") { schedule.write(to: &$0) } }
            if let schedules { writer.member("schedules") { writer in writer.array(schedules) { $1.write(to: &$0) } } }
            writer.member("cursor", cursor)
        }
    }
}
