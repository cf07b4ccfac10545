/// The tags that mean something to the store.
public enum PromiseTag {
    /// The address of those who work on it; a promise has a task if and only if it has this tag.
    public static let target = "resonate:target"
    /// The time in milliseconds since 1970 before which its task is nobody's.
    public static let delay = "resonate:delay"
    /// `true`: its deadline resolves it.
    public static let timer = "resonate:timer"
    /// `true`: others may wait for it, and its deadline is kept though nobody asks.
    public static let external = "resonate:external"
    /// `global`: the same as external.
    public static let scope = "resonate:scope"
    /// The promise that began it all.
    public static let origin = "resonate:origin"
    public static let branch = "resonate:branch"
    public static let parent = "resonate:parent"
    public static let prefix = "resonate:prefix"
    /// The schedule that made it.
    public static let schedule = "resonate:schedule"
}
