internal import Prometheus
internal import Synchronization

/// The open streams, by group and id: of two with one name the newer one stays.
final class StreamRegistry: Sendable {
    struct Name: Hashable, Sendable {
        var group: String
        var id: String
    }

    enum Entry {
        case open(number: Int)
        /// There are as many as there may be.
        case full
    }

    private struct State {
        var streams: [Name: (number: Int, end: @Sendable () -> Void)] = [:]
        var next = 0
    }

    private let state = Mutex(State())
    private let most: Int
    private let metrics: ServerMetrics

    init(most: Int, metrics: ServerMetrics) {
        self.most = most
        self.metrics = metrics
    }

    /// Enters a stream, and ends the one of the same name. `end` is called when a newer one comes.
    func enter(_ name: Name, end: @escaping @Sendable () -> Void) -> Entry {
        let (entry, previous) = state.withLock { state -> (Entry, (@Sendable () -> Void)?) in
            let previous = state.streams[name]
            guard previous != nil || state.streams.count < most else { return (.full, nil) }
            state.next += 1
            state.streams[name] = (state.next, end)
            if previous == nil { metrics.streams.add(1) }
            return (.open(number: state.next), previous?.end)
        }
        previous?()
        return entry
    }

    /// The stream has ended. Does nothing when a newer one took its place.
    func leave(_ name: Name, number: Int) {
        state.withLock { state in
            guard state.streams[name]?.number == number else { return }
            state.streams[name] = nil
            metrics.streams.add(-1)
        }
    }
}
