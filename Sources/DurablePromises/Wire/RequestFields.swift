internal import JSON

/// What the data of any kind of request may have, as far as they have it. What is none of it is passed over, and what has
/// another shape is the matter of the kinds that look at it.
struct RequestFields {
    typealias Flaw = JSONReader.Flaw

    private(set) var identifier: String?
    private(set) var timeoutAt: Int64?
    private(set) var param: PromiseValue?
    private(set) var value: PromiseValue?
    private(set) var tags: [String: String]?
    private(set) var state: String?
    private(set) var awaited: String?
    private(set) var awaiter: String?
    private(set) var address: String?
    private(set) var limit: Int64?
    private(set) var cursor: String?
    private(set) var pid: String?
    private(set) var ttl: Int64?
    private(set) var version: Int64?
    private(set) var action: Request?
    private(set) var actions: [Request]?
    private(set) var tasks: [TaskReference]?
    private(set) var cron: String?
    private(set) var promiseId: String?
    private(set) var promiseTimeout: Int64?
    private(set) var promiseParam: PromiseValue?
    private(set) var promiseTags: [String: String]?
    private(set) var time: Int64?
    private var flaws: [String: Flaw] = [:]

    init(reading reader: inout JSONReader) throws(JSONReader.Flaw) {
        // Not in the closure of an initializer, which may not capture what it initializes.
        var fields = RequestFields()
        try reader.object { (key, reader) throws(Flaw) in
            if try reader.isNull() { return }
            var member = reader
            do throws(Flaw) {
                try fields.take(key, &member)
                reader = member
            } catch {
                fields.flaws[key] = error
                try reader.skip()
            }
        }
        self = fields
    }

    private init() {}

    private mutating func take(_ key: String, _ reader: inout JSONReader) throws(Flaw) {
        switch key {
        case "id": identifier = try reader.string()
        case "timeoutAt": timeoutAt = try reader.integer()
        case "param": param = try PromiseValue(reading: &reader)
        case "value": value = try PromiseValue(reading: &reader)
        case "tags": tags = try reader.dictionary()
        case "state": state = try reader.string()
        case "awaited": awaited = try reader.string()
        case "awaiter": awaiter = try reader.string()
        case "address": address = try reader.string()
        case "limit": limit = try reader.integer()
        case "cursor": cursor = try reader.string()
        case "pid": pid = try reader.string()
        case "ttl": ttl = try reader.integer()
        case "version": version = try reader.integer()
        case "action": action = try Request.action(&reader)
        case "actions":
            var list: [Request] = []
            try reader.array { (reader) throws(Flaw) in list.append(try Request.action(&reader)) }
            actions = list
        case "tasks":
            var list: [TaskReference] = []
            try reader.array { (reader) throws(Flaw) in
                list.append(try RequestFields(reading: &reader).reference())
            }
            tasks = list
        case "cron": cron = try reader.string()
        case "promiseId": promiseId = try reader.string()
        case "promiseTimeout": promiseTimeout = try reader.integer()
        case "promiseParam": promiseParam = try PromiseValue(reading: &reader)
        case "promiseTags": promiseTags = try reader.dictionary()
        case "time": time = try reader.integer()
        default: try reader.skip()
        }
    }

    // MARK: Together

    func require<Value>(_ value: Value?, _ name: String) throws(Flaw) -> Value {
        guard let value = try optional(value, name) else { throw Flaw(description: "\(name) is missing") }
        return value
    }

    func optional<Value>(_ value: Value?, _ name: String) throws(Flaw) -> Value? {
        if let flaw = flaws[name] { throw Flaw(description: "\(name): \(flaw)") }
        return value
    }

    func id() throws(Flaw) -> String { try require(identifier, "id") }
    func worker() throws(Flaw) -> String { try require(pid, "pid") }
    func lease() throws(Flaw) -> Int64 { try require(ttl, "ttl") }
    func onlyAction() throws(Flaw) -> Request { try require(action, "action") }

    func reference() throws(Flaw) -> TaskReference {
        TaskReference(id: try id(), version: try require(version, "version"))
    }

    func creation() throws(Flaw) -> PromiseCreation {
        PromiseCreation(
            id: try id(),
            timeoutAt: try require(timeoutAt, "timeoutAt"),
            param: try optional(param, "param"),
            tags: try optional(tags, "tags")
        )
    }

    func settlement() throws(Flaw) -> PromiseSettlement {
        let word = try require(state, "state")
        guard let state = PromiseState(rawValue: word) else {
            throw Flaw(description: "state is none of resolved, rejected, rejected_canceled")
        }
        return PromiseSettlement(id: try id(), state: state, value: try optional(value, "value"))
    }

    func search() throws(Flaw) -> PromiseSearch {
        PromiseSearch(
            state: try optional(state, "state"),
            tags: try optional(tags, "tags") ?? [:],
            limit: try optional(limit, "limit"),
            cursor: try optional(cursor, "cursor")
        )
    }

    func scheduleCreation() throws(Flaw) -> ScheduleCreation {
        ScheduleCreation(
            id: try id(),
            cron: try require(cron, "cron"),
            promiseId: try require(promiseId, "promiseId"),
            promiseTimeout: try require(promiseTimeout, "promiseTimeout"),
            promiseParam: try optional(promiseParam, "promiseParam"),
            promiseTags: try optional(promiseTags, "promiseTags")
        )
    }
}
