public import SchemaChange

/// What must hold outside the database before the engine does what would hurt a running application.
///
/// The engine asks just before it acts, each time. An implementation reads live, never from a cache.
public protocol MigrationGuards: Sendable {
    /// Whether the old version of the application is gone.
    func mayContract() async throws -> GuardVerdict
    /// Whether nobody needs what would go on the way back to `phase`.
    func mayGoBack(to phase: Phase) async throws -> GuardVerdict
}

public enum GuardVerdict: Sendable, Hashable {
    case allowed
    /// `reason` is one word in CamelCase, `message` names what it waits for.
    case waiting(reason: String, message: String)
}
