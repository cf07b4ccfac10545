/// How long to wait before the stream of messages is opened again.
struct PollBackoff: Sendable {
    var first: Duration = .milliseconds(100)
    var longest: Duration = .seconds(30)
    /// From 0 up to 1, so that not all who lost a server come back to it at once.
    let random: @Sendable () -> Double

    /// - Parameter failures: how many streams in a row were of no use.
    func pause(failures: Int) -> Duration {
        let longest = min(longest, first * Double(1 << min(failures, 16)))
        return longest * (0.5 + random() / 2)
    }
}
