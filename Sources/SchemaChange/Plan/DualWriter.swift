/// Who writes both sides while both versions of the application run.
public enum DualWriter: String, SpecWord, Sendable {
    /// Triggers, which compute one side from the other.
    case database = "Database"
    /// A release of the application. Triggers look at what it writes, and note where the sides disagree.
    case application = "Application"
}
