import Foundation
import Synchronization
import TestSupport

/// Stands between an operator and its database, and sees in the server's answers what was committed.
///
/// Messages are those of <https://www.postgresql.org/docs/current/protocol-message-formats.html>; encryption is off.
final class PostgresRelay: Sendable {
    private let log: EffectLog
    private let target: Int
    private let relay = Mutex<Relay?>(nil)

    /// - Parameter target: the port of the server.
    init(log: EffectLog, to target: Int) throws {
        self.log = log
        self.target = target
        let relay = try Relay { [weak self] in self?.serve($0) }
        self.relay.withLock { $0 = relay }
    }

    var port: Int { relay.withLock { $0?.port ?? 0 } }

    func stop() { relay.withLock { $0?.stop() } }

    /// The statements that are under way on a connection; nil is the end of a round.
    private final class Statements: Sendable {
        private let state = Mutex((named: [String: String](), queue: [String?]()))

        /// Reads along what a client sends.
        func note(_ message: [UInt8]) {
            func text(_ skipped: Int) -> String {
                let parts = message.dropFirst(5).split(separator: 0, omittingEmptySubsequences: false)
                return parts.count > skipped ? String(decoding: parts[parts.startIndex + skipped], as: UTF8.self) : ""
            }
            state.withLock { state in
                switch message[0] {
                case UInt8(ascii: "P"): state.named[text(0)] = text(1)
                case UInt8(ascii: "B"): state.queue.append(state.named[text(1)] ?? "?")
                case UInt8(ascii: "Q"): state.queue += [text(0), nil]
                case UInt8(ascii: "S"): state.queue.append(nil)
                default: break
                }
            }
        }

        func completed() -> String {
            state.withLock { state in
                guard let first = state.queue.first, let statement = first else { return "?" }
                state.queue.removeFirst()
                return statement
            }
        }

        func roundEnded() {
            state.withLock { state in
                guard let end = state.queue.firstIndex(where: { $0 == nil }) else { return }
                state.queue.removeSubrange(...end)
            }
        }
    }

    private func serve(_ client: Int32) {
        let life = log.life
        var reader = WireReader(client)
        guard let startup = reader.takeStartup(), let server = Loopback.connect(to: target) else { return }
        guard Loopback.write(startup, to: server) else {
            close(server)
            return
        }
        let statements = Statements()
        let ended = DispatchSemaphore(value: 0)
        Thread.detachNewThread { [self] in
            answer(server, client, statements, life)
            shutdown(client, Int32(SHUT_RDWR))
            ended.signal()
        }
        while let message = reader.takeMessage(), log.isAlive(life) {
            statements.note(message)
            guard Loopback.write(message, to: server) else { break }
        }
        shutdown(server, Int32(SHUT_RDWR))
        ended.wait()
        close(server)
    }

    /// Hands on what the server says. The end of a round that wrote something is an effect.
    private func answer(_ server: Int32, _ client: Int32, _ statements: Statements, _ life: Int) {
        var reader = WireReader(server)
        var held: [UInt8] = []
        var written: String?
        while let message = reader.takeMessage() {
            held += message
            switch message[0] {
            case UInt8(ascii: "C"):
                let tag = String(decoding: message.dropFirst(5).dropLast(), as: UTF8.self)
                let statement = statements.completed()
                if tag == "ROLLBACK" { written = nil }
                if Self.writes(tag, statement) {
                    written = statement.split(whereSeparator: \.isWhitespace).prefix(6).joined(separator: " ")
                }
            case UInt8(ascii: "Z"):
                statements.roundEnded()
                guard let label = written, message[5] == UInt8(ascii: "I") else { break }
                written = nil
                guard hand(held, label, to: client, life) else { return }
                held = []
            default: break
            }
            // What was written is kept until it is known whether it is committed, unless the server waits for more.
            if written == nil ? !reader.hasMessage : !reader.hasMessage && reader.waits(20) {
                guard Loopback.write(held, to: client) else { return }
                held = []
            }
        }
        Loopback.write(held, to: client)
    }

    private func hand(_ bytes: [UInt8], _ label: String, to client: Int32, _ life: Int) -> Bool {
        switch log.happened(label, in: life) {
        case .forward: return Loopback.write(bytes, to: client)
        case .withhold: return false
        case .forwardAndKill:
            Loopback.write(bytes, to: client)
            log.kill()
            return false
        }
    }

    /// Whether a statement changed something, by its tag; one that reads what it writes has the tag of a SELECT.
    private static func writes(_ tag: String, _ statement: String) -> Bool {
        let words = tag.split(separator: " ")
        switch words.first {
        case "INSERT", "UPDATE", "DELETE", "MERGE": return words.last != "0"
        case "SELECT":
            return ["INSERT INTO ", "DELETE FROM ", " SET "].contains { statement.contains($0) }
                && statement.contains("WITH ")
        case "CREATE", "ALTER", "DROP", "COMMENT", "ANALYZE", "TRUNCATE", "DO": return true
        default: return false
        }
    }
}
