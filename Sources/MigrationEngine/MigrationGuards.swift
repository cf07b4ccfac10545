public import SchemaChange

/// What must hold outside the database before the engine does what would hurt a running application.
///
/// The engine asks just before it acts, each time. An implementation reads live, never from a cache.
public protocol MigrationGuards: Sendable {
    /// Whether the old version of the application is gone.
    func mayContract() async throws -> GuardVerdict
    /// Whether nobody needs what would go on the way back to `phase`.
    func mayGoBack(to phase: Phase) async throws -> GuardVerdict
    /// What is known here of something that the database cannot know. It is asked while nobody has settled the promise
    /// that stands for the question; a yes settles it.
    ///
    /// - Returns: nil where nothing is known: then somebody settles the promise.
    func answer(to question: GuardQuestion) async throws -> GuardAnswer?
}

extension MigrationGuards {
    public func answer(to question: GuardQuestion) async throws -> GuardAnswer? { nil }
}

public enum GuardVerdict: Sendable, Hashable {
    case allowed
    /// `reason` is one word in CamelCase, `message` names what it waits for.
    case waiting(reason: String, message: String)
}

/// What is answered outside of the database only.
public enum GuardQuestion: Sendable, Hashable {
    /// Whether somebody agrees that Contract takes the old side away.
    case approval(planHash: String)
    /// Whether every writer that runs writes both sides.
    case dualWrites
}

public enum GuardAnswer: Sendable, Hashable {
    /// `who` says by whom or what, and is kept in the promise.
    case yes(who: String)
    /// What it waits for, by name.
    case notYet(message: String)
}
