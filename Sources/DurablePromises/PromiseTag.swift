/// The tags that mean something to the store.
public enum PromiseTag {
    /// The address of those who work on it; a promise has a task if and only if it has this tag.
    public static let target = "resonate:target"
    /// The time in milliseconds since 1970 before which its task is nobody's.
    public static let delay = "resonate:delay"
    /// `true`: its deadline resolves it.
    public static let timer = "resonate:timer"
    /// The promise that began it all.
    public static let origin = "resonate:origin"
    public static let branch = "resonate:branch"
    public static let parent = "resonate:parent"
    public static let prefix = "resonate:prefix"
}
