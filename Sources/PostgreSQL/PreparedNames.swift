internal import EventLoop

/// The statements that a session has prepared on its server, by their text.
@EventLoop
final class PreparedNames {
    private var names: [String: String] = [:]
    private var known: Set<String> = []

    nonisolated init() {}

    /// What a text is called on this session, whether the server knows it yet or not.
    func name(of sql: String) -> String {
        if let name = names[sql] { return name }
        let name = "sluice_\(names.count)"
        names[sql] = name
        return name
    }

    func isKnown(_ sql: String) -> Bool {
        known.contains(sql)
    }

    func note(_ prepared: [String]) {
        known.formUnion(prepared)
    }
}
