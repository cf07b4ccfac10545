internal import DurablePromises

/// What to do about a step, by what is recorded at its place.
enum ReplayDecision: Sendable, Hashable {
    /// It was never begun, or begun and not ended.
    case perform
    /// Somebody else will settle it.
    case wait
    /// It is done: that is its result.
    case settled(PromiseRecord)
    /// Another step is recorded here.
    case mismatch(Step)

    static func decide(_ step: Step, recorded: PromiseRecord?) -> ReplayDecision {
        guard let recorded else { return .perform }
        let other = Step(recorded: recorded)
        guard step.matches(other) else { return .mismatch(other) }
        if recorded.state != .pending { return .settled(recorded) }
        return step.kind == .run ? .perform : .wait
    }
}

extension DurableError {
    /// - Parameter function: the function with its version, for people.
    static func nonDeterminism(_ step: Step, recorded: Step, in function: String) -> DurableError {
        DurableError(
            .nonDeterminism,
            """
            \(function) is not what it was when this execution began: at \(step.id) it recorded \(recorded.title), and now \
            it asks for \(step.title); restore the function, or register the change as a new version
            """
        )
    }

    static func nonDeterminism(neverAsked recorded: Step, in function: String) -> DurableError {
        DurableError(
            .nonDeterminism,
            """
            \(function) is not what it was when this execution began: it recorded \(recorded.title) at \(recorded.id), and \
            now it ends without asking for it; restore the function, or register the change as a new version
            """
        )
    }
}
