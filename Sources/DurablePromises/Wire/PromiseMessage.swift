internal import JSON

/// What the coordinator tells somebody without being asked.
public enum PromiseMessage: Sendable, Hashable {
    /// A task is to be had at that version.
    case execute(TaskReference)
    /// A promise that somebody listened to is settled.
    case unblock(PromiseRecord)

    /// The message as JSON in ASCII, on one line.
    ///
    /// - Parameter serverURL: where the task is to be acquired; nil says nothing about it.
    public func json(serverURL: String?) -> [UInt8] {
        var writer = JSONWriter(isASCII: true)
        writer.object { writer in
            switch self {
            case .execute(let task):
                writer.member("kind", "execute")
                writer.member("head") { writer in writer.object { $0.member("serverUrl", serverURL) } }
                writer.member("data") { writer in
                    writer.object { writer in
                        writer.member("task") { writer in
                            writer.object { writer in
                                writer.member("id", task.id)
                                writer.member("version", task.version)
                            }
                        }
                    }
                }
            case .unblock(let promise):
                writer.member("kind", "unblock")
                writer.member("head") { writer in writer.object { _ in } }
                writer.member("data") { writer in
                    writer.object { writer in writer.member("promise") { promise.write(to: &$0) } }
                }
            }
        }
        return writer.bytes
    }

    /// Reads a message. Throws `incompatible` for what is none.
    public init(json: some Sequence<UInt8>) throws(PromiseError) {
        typealias Flaw = JSONReader.Flaw
        var task: TaskReference?
        var promise: PromiseRecord?
        do throws(Flaw) {
            try JSONReader.read(json) { (reader) throws(Flaw) in
                try reader.object { (key, reader) throws(Flaw) in
                    guard key == "data" else { return try reader.skip() }
                    try reader.object { (key, reader) throws(Flaw) in
                        switch key {
                        case "task": task = try RequestFields(reading: &reader).reference()
                        case "promise": promise = try PromiseRecord(reading: &reader)
                        default: try reader.skip()
                        }
                    }
                }
            }
        } catch {
            throw PromiseError(.incompatible, "the message is not of the promise protocol: \(error)")
        }
        if let task {
            self = .execute(task)
        } else if let promise {
            self = .unblock(promise)
        } else {
            throw PromiseError(.incompatible, "the message is neither execute nor unblock")
        }
    }
}
