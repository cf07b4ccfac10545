import Foundation
import Synchronization
import TestSupport

/// Takes connections on the loopback, each on a thread of its own, until it is stopped.
final class Relay: Sendable {
    let port: Int
    private let listener: Int32
    private let connections = Connections()

    private final class Connections: Sendable {
        let open = Mutex<Set<Int32>>([])
    }

    /// - Parameter serve: returns when the connection is done with; it is closed then.
    init(_ serve: @escaping @Sendable (Int32) -> Void) throws {
        (listener, port) = try Loopback.listen()
        Thread.detachNewThread { [listener, connections] in
            while let client = Loopback.accept(listener) {
                _ = connections.open.withLock { $0.insert(client) }
                Thread.detachNewThread {
                    serve(client)
                    _ = connections.open.withLock { $0.remove(client) }
                    close(client)
                }
            }
            close(listener)
        }
    }

    /// Resets all connections of clients.
    func cut() {
        connections.open.withLock { for client in $0 { Loopback.reset(client) } }
    }

    func stop() {
        shutdown(listener, Int32(SHUT_RDWR))
        cut()
    }
}
