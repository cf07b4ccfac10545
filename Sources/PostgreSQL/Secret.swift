/// A value that shows itself to nobody: not in a description, a log line, `dump` or a debugger's mirror.
struct Secret<Value: Sendable>: Sendable, CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    let revealed: Value

    init(_ value: Value) {
        revealed = value
    }

    var description: String { "(hidden)" }
    var debugDescription: String { description }
    var customMirror: Mirror { Mirror(self, children: [(label: String?, value: Any)]()) }
}
