/// How long things wait, in one place.
public enum Timing {
    /// How often a proof at rest is looked at, unless the operator is told otherwise. Reads only.
    public static let proofInterval: Duration = .seconds(60)
    /// The least time between two writes of a status that differ in progress and words only.
    public static let statusInterval: Duration = .milliseconds(1500)
    /// How long a loop looks at a database at most: all that is read for one object in one round, connecting included. One
    /// that is silent is then told as one that is away.
    static let look: Duration = .seconds(30)
    /// For how long a run that takes up a wait again is not told apart from that wait.
    static let grace: Duration = .seconds(3)

    /// Until a run that had to wait is tried again: 2 s, 4 s, … 30 s.
    static func waiting(fruitless: Int) -> Duration { backOff(.seconds(2), fruitless, atMost: .seconds(30)) }
    /// Until a run that was stalled is tried again: 5 s, 10 s, … 5 min.
    static func stalled(fruitless: Int) -> Duration { backOff(.seconds(5), fruitless, atMost: .seconds(300)) }
    /// Until a database that could not be reached is tried again: 1 s, 2 s, … 30 s.
    static func database(attempts: Int) -> Duration { backOff(.seconds(1), attempts, atMost: .seconds(30)) }

    private static func backOff(_ first: Duration, _ count: Int, atMost: Duration) -> Duration {
        min(first * (1 << max(0, min(count - 1, 16))), atMost)
    }
}
