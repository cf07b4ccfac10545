internal import DurablePromises

/// One step of a function: what it asks for, at the place where it asks.
struct Step: Sendable, Hashable {
    enum Kind: String, Sendable, Hashable {
        case run, call, sleep, promise
    }

    let id: String
    let kind: Kind
    /// That of the step or the function; nil where there is none.
    let name: String?
    /// The version of a function that is called.
    let version: Int?

    init(id: String, kind: Kind, name: String? = nil, version: Int? = nil) {
        self.id = id
        self.kind = kind
        self.name = name
        self.version = version
    }

    /// The step that a promise was made for.
    init(recorded promise: PromiseRecord) {
        let head = promise.param.isEmpty ? nil : try? Payload.decode(Call.Head.self, from: promise.param, "")
        id = promise.id
        name = head?.name
        if promise.isTimer {
            kind = .sleep
        } else if promise.tags[PromiseTag.target] != nil {
            kind = .call
        } else if promise.isExternal {
            kind = .promise
        } else {
            kind = .run
        }
        version = kind == .call ? head?.version : nil
    }

    /// Whether `recorded` may be this step. A name that nobody recorded, as clients in other languages do not, fits any.
    func matches(_ recorded: Step) -> Bool {
        guard kind == recorded.kind else { return false }
        if let name, let other = recorded.name, name != other { return false }
        if let version, let other = recorded.version, version != other { return false }
        return true
    }

    /// As a person would write it.
    var title: String {
        let what = name.map { " \"\($0)\"" } ?? ""
        return kind.rawValue + what + (version.map { " version \($0)" } ?? "")
    }
}
