import Foundation
import Synchronization

/// A port of the loopback that lets PostgreSQL's clients in, whoever they are, and says nothing more: as a server whose
/// machine hangs. What it lacks of a real one is all that comes after the first `ReadyForQuery`.
///
/// See "Message Flow" in PostgreSQL's manual.
public final class SilentPostgres: Sendable {
    public let port: Int
    private let listener: Int32
    private let lets: Bool
    private let sessions = Mutex<[Int32]>([])

    /// For `sslmode` as it may be.
    public var url: String { "postgresql://somebody@127.0.0.1:\(port)/silent" }

    /// How many clients have come.
    public var count: Int { sessions.withLock { $0.count } }

    /// - Parameter lets: whether clients are let in; else not even that is answered.
    public init(lets: Bool = true) throws {
        self.lets = lets
        (listener, port) = try Loopback.listen()
        Thread.detachNewThread { [self] in
            while let client = Loopback.accept(listener) {
                sessions.withLock { $0.append(client) }
                if self.lets { Thread.detachNewThread { Self.meet(client) } }
            }
            close(listener)
        }
    }

    public func stop() {
        shutdown(listener, Int32(SHUT_RDWR))
        sessions.withLock { sessions in
            for session in sessions { close(session) }
            sessions = []
        }
    }

    private static func meet(_ client: Int32) {
        while let head = Loopback.read(8, from: client) {
            let length = head[..<4].reduce(0) { $0 << 8 + Int($1) }
            guard Loopback.read(length - 8, from: client) != nil else { return }
            // 1234 in the upper half is a request for encryption, which is refused, or one to cancel.
            guard head[4] == 0x04, head[5] == 0xd2 else { break }
            guard head[7] != 0x2e else { return }
            Loopback.write("N".utf8, to: client)
        }
        // AuthenticationOk, BackendKeyData, ReadyForQuery.
        Loopback.write(
            [0x52, 0, 0, 0, 8, 0, 0, 0, 0, 0x4b, 0, 0, 0, 12, 0, 0, 0, 1, 0, 0, 0, 1, 0x5a, 0, 0, 0, 5, 0x49],
            to: client)
    }
}
