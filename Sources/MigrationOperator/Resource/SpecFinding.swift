internal import SchemaChange

/// Something in a spec that the schema let through and that cannot work.
public struct SpecFinding: Hashable, Sendable, CustomStringConvertible {
    /// The field: `spec.changes[0].replaceColumns.forward`.
    public var path: String
    public var what: String
    /// What to do about it, where `what` does not say so itself.
    public var advice: String?

    public init(path: String, what: String, advice: String? = nil) {
        self.path = path
        self.what = what
        self.advice = advice
    }

    /// What a kind of change found.
    init(_ error: PlanError) {
        self.init(path: "spec.\(error.path)", what: error.message)
    }

    public var description: String {
        advice.map { "\(path): \(what); \($0)" } ?? "\(path): \(what)"
    }
}
