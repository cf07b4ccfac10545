/// What time it is, in milliseconds since 1970.
public enum PromiseClock: Sendable {
    /// The database's clock, so that all workers agree.
    case database
    /// A test's.
    case manual(@Sendable () -> Int64)
}
