/// What a change tells somebody. It may be lost, and the next look finds what it was about.
public enum PromiseMessage: Sendable, Hashable {
    /// A task has become anybody's of its group.
    case execute(TaskReference, target: String)
}
