/// A place where somebody stops until a test lets him go on.
struct Halt: Sendable {
    private let arrivals = AsyncStream.makeStream(of: Void.self)
    private let releases = AsyncStream.makeStream(of: Void.self)

    /// Stops here until ``release()``.
    func stop() async {
        arrivals.continuation.yield()
        for await _ in releases.stream { break }
    }

    /// Says that somebody is here, who goes on at once.
    func arrive() {
        arrivals.continuation.yield()
    }

    /// Waits until somebody has stopped.
    func reached() async {
        for await _ in arrivals.stream { break }
    }

    func release() {
        releases.continuation.yield()
    }
}
