/// Tells, of the lines of attempts that follow each other, which say something new: what the attempt before said as well is
/// not said again, until what it comes to is another.
struct NewLines {
    /// What attempts said that came to the same.
    private var known: Set<String> = []
    private var attempt: Set<String> = []
    private var hasNews = false
    private var last = ""

    /// An attempt says so many lines at most that are remembered.
    private static let mostRemembered = 1000

    /// Whether a line is to be shown.
    mutating func take(_ line: String) -> Bool {
        if attempt.count < Self.mostRemembered { attempt.insert(line) }
        guard line != last, !known.contains(line) else { return false }
        last = line
        hasNews = true
        return true
    }

    /// The attempt has come to what `line` says, and another one begins. Whether the line is to be shown: after news it is
    /// said again that it came to the same.
    mutating func endAttempt(_ line: String) -> Bool {
        defer {
            known = known.contains(line) ? known.union(attempt) : attempt.union([line])
            attempt = []
            hasNews = false
        }
        if take(line) { return true }
        guard hasNews, line != last else { return false }
        last = line
        return true
    }
}
