internal import NIOCore
internal import Prometheus
internal import Synchronization

/// The open connections of a server.
final class ConnectionRegistry: Sendable {
    private struct State {
        var channels: [ObjectIdentifier: any Channel] = [:]
        var isClosing = false
        var empty: CheckedContinuation<Void, Never>?
    }

    /// What becomes of a new connection.
    enum Entry {
        case welcome
        /// It is told that there is no room.
        case tooMany
        /// There is no room even for those who are told so.
        case farTooMany
    }

    private let state = Mutex(State())
    private let most: Int
    private let metrics: ServerMetrics

    /// How many more may be open that are told that they may not.
    private static let refused = 128

    init(most: Int, metrics: ServerMetrics) {
        self.most = most
        self.metrics = metrics
    }

    func enter(_ channel: any Channel) -> Entry {
        state.withLock { state in
            if state.isClosing || state.channels.count >= most + Self.refused { return .farTooMany }
            state.channels[ObjectIdentifier(channel)] = channel
            metrics.connections.set(Int64(state.channels.count))
            return state.channels.count > most ? .tooMany : .welcome
        }
    }

    func leave(_ channel: any Channel) {
        let empty = state.withLock { state -> CheckedContinuation<Void, Never>? in
            state.channels[ObjectIdentifier(channel)] = nil
            metrics.connections.set(Int64(state.channels.count))
            guard state.channels.isEmpty else { return nil }
            defer { state.empty = nil }
            return state.empty
        }
        empty?.resume()
    }

    /// Asks every connection to end when its request is answered, waits for that, and cuts those that take too long.
    ///
    /// The time is a loop's, not the task's: that is being cancelled, and the requests still have their time.
    func close(within limit: Duration, on loop: any EventLoop) async {
        let channels = state.withLock { state in
            state.isClosing = true
            return Array(state.channels.values)
        }
        for channel in channels { channel.pipeline.fireUserInboundEventTriggered(ConnectionShouldEnd()) }
        let timer = loop.scheduleTask(in: TimeAmount(limit)) { self.cut() }
        await waitUntilEmpty()
        timer.cancel()
    }

    private func cut() {
        let channels = state.withLock { Array($0.channels.values) }
        for channel in channels { channel.close(promise: nil) }
    }

    private func waitUntilEmpty() async {
        await withCheckedContinuation { continuation in
            let isEmpty = state.withLock { state in
                if state.channels.isEmpty { return true }
                state.empty = continuation
                return false
            }
            if isEmpty { continuation.resume() }
        }
    }
}

/// Tells a connection to take no further request.
struct ConnectionShouldEnd: Sendable {}
