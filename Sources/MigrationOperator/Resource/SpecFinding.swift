/// Something in a spec that the schema let through and that cannot work.
public struct SpecFinding: Hashable, Sendable, CustomStringConvertible {
    /// The field: `spec.changes[0].replaceColumns.forward`.
    public var path: String
    public var what: String
    /// What to do about it.
    public var advice: String

    public init(path: String, what: String, advice: String) {
        self.path = path
        self.what = what
        self.advice = advice
    }

    public var description: String { "\(path): \(what); \(advice)" }
}
