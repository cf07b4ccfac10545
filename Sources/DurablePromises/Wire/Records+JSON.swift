internal import JSON

/// The records as JSON: what a response, a message and a row of the store have in common.
extension PromiseValue {
    init(reading reader: inout JSONReader) throws(JSONReader.Flaw) {
        var value = PromiseValue()
        if try !reader.isNull() {
            try reader.object { (key, reader) throws(JSONReader.Flaw) in
                if try reader.isNull() { return }
                switch key {
                case "headers": value.headers = try reader.dictionary()
                case "data": value.data = try reader.string()
                default: try reader.skip()
                }
            }
        }
        self = value
    }

    func write(to writer: inout JSONWriter) {
        writer.object { writer in
            writer.member("headers", headers)
            writer.member("data", data)
        }
    }
}

extension JSONWriter {
    mutating func member(_ key: String, _ value: PromiseValue?) {
        guard let value else { return }
        self.key(key)
        value.write(to: &self)
    }
}

extension PromiseRecord {
    init(reading reader: inout JSONReader) throws(JSONReader.Flaw) {
        var record = PromiseRecord(id: "", timeoutAt: 0, createdAt: 0)
        try reader.object { (key, reader) throws(JSONReader.Flaw) in
            if try reader.isNull() { return }
            switch key {
            case "id": record.id = try reader.string()
            case "state": record.state = try reader.state()
            case "param": record.param = try PromiseValue(reading: &reader)
            case "value": record.value = try PromiseValue(reading: &reader)
            case "tags": record.tags = try reader.dictionary()
            case "timeoutAt": record.timeoutAt = try reader.integer()
            case "createdAt": record.createdAt = try reader.integer()
            case "settledAt": record.settledAt = try reader.integer()
            default: try reader.skip()
            }
        }
        self = record
    }

    func write(to writer: inout JSONWriter) {
        writer.object { writer in
            writer.member("id", id)
            writer.member("state", state.rawValue)
            writer.member("param", param)
            writer.member("value", value)
            writer.member("tags", tags)
            writer.member("timeoutAt", timeoutAt)
            writer.member("createdAt", createdAt)
            writer.member("settledAt", settledAt)
        }
    }
}

extension TaskRecord {
    init(reading reader: inout JSONReader) throws(JSONReader.Flaw) {
        var record = TaskRecord(id: "", state: .pending, version: 0)
        try reader.object { (key, reader) throws(JSONReader.Flaw) in
            if try reader.isNull() { return }
            switch key {
            case "id": record.id = try reader.string()
            case "state": record.state = try reader.state()
            case "version": record.version = try reader.integer()
            case "resumes": record.resumes = Int(try reader.integer())
            case "ttl": record.ttl = try reader.integer()
            case "pid": record.pid = try reader.string()
            default: try reader.skip()
            }
        }
        self = record
    }

    func write(to writer: inout JSONWriter) {
        writer.object { writer in
            writer.member("id", id)
            writer.member("state", state.rawValue)
            writer.member("version", version)
            writer.member("resumes", Int64(resumes))
            writer.member("ttl", ttl)
            writer.member("pid", pid)
        }
    }
}

extension ScheduleRecord {
    init(reading reader: inout JSONReader) throws(JSONReader.Flaw) {
        var record = ScheduleRecord(
            id: "", cron: "", promiseId: "", promiseTimeout: 0, createdAt: 0, nextRunAt: 0
        )
        try reader.object { (key, reader) throws(JSONReader.Flaw) in
            if try reader.isNull() { return }
            switch key {
            case "id": record.id = try reader.string()
            case "cron": record.cron = try reader.string()
            case "promiseId": record.promiseId = try reader.string()
            case "promiseTimeout": record.promiseTimeout = try reader.integer()
            case "promiseParam": record.promiseParam = try PromiseValue(reading: &reader)
            case "promiseTags": record.promiseTags = try reader.dictionary()
            case "createdAt": record.createdAt = try reader.integer()
            case "nextRunAt": record.nextRunAt = try reader.integer()
            case "lastRunAt": record.lastRunAt = try reader.integer()
            default: try reader.skip()
            }
        }
        self = record
    }

    func write(to writer: inout JSONWriter) {
        writer.object { writer in
            writer.member("id", id)
            writer.member("cron", cron)
            writer.member("promiseId", promiseId)
            writer.member("promiseTimeout", promiseTimeout)
            writer.member("promiseParam", promiseParam)
            writer.member("promiseTags", promiseTags)
            writer.member("createdAt", createdAt)
            writer.member("nextRunAt", nextRunAt)
            writer.member("lastRunAt", lastRunAt)
        }
    }
}

extension JSONReader {
    fileprivate mutating func state<State: RawRepresentable<String>>() throws(Flaw) -> State {
        let word = try string()
        guard let state = State(rawValue: word) else { throw Flaw(description: "\(word) is no state") }
        return state
    }

    mutating func list<Value>(_ element: (inout JSONReader) throws(Flaw) -> Value) throws(Flaw) -> [Value] {
        var list: [Value] = []
        try array { (reader) throws(Flaw) in list.append(try element(&reader)) }
        return list
    }
}
