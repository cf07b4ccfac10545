/// When an answer that says no is asked for again, and how long after.
struct RetryPolicy: Sendable {
    var mostTries = 4
    var longest: Duration = .seconds(10)

    /// - Parameter tries: how many there were already.
    /// - Returns: how long to wait before the next one, or nil to give up.
    func delay(after error: KubernetesError, tries: Int, isIdempotent: Bool) -> Duration? {
        guard tries < mostTries, let status = error.httpStatus else { return nil }
        let isRefusal = status == 429
        guard isRefusal || (status >= 500 && (isIdempotent || error.retryAfter != nil)) else { return nil }
        // A 504 tells of the server's own deadline: the request took that long already.
        if status == 504, error.retryAfter == nil { return nil }
        if let asked = error.retryAfter {
            return asked <= longest ? max(asked, .milliseconds(100)) : nil
        }
        return min(longest, .milliseconds(200) * (1 << (tries - 1)))
    }
}
