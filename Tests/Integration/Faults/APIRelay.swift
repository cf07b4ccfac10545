import Foundation
import Synchronization
import TestSupport

/// Stands between an operator and API servers: plain HTTP/1.1 on one side, `kubectl proxy` on the other. Sees every
/// request, and answers none itself.
final class APIRelay: Sendable {
    /// Where a request goes: the port of a `kubectl proxy`.
    typealias Route = @Sendable (HTTPHead) -> Int

    private struct State {
        var route: Route
        var holdsWatches = false
        var requests: [String] = []
        var trap: (write: Int, spring: @Sendable () -> Void)?
    }

    private let state: Mutex<State>
    private let log: EffectLog?
    private let relay = Mutex<Relay?>(nil)

    init(log: EffectLog? = nil, _ route: @escaping Route) throws {
        self.log = log
        state = Mutex(State(route: route))
        let relay = try Relay { [weak self] in self?.serve($0) }
        self.relay.withLock { $0 = relay }
    }

    var url: String { "http://127.0.0.1:\(relay.withLock { $0?.port ?? 0 })" }

    /// Every write that was let through so far, `METHOD path`.
    var writes: [String] { state.withLock { $0.requests } }

    /// Does something once the server has done so many writes, before the last of them is answered.
    func after(_ write: Int, _ spring: @escaping @Sendable () -> Void) {
        state.withLock { $0.trap = (write, spring) }
    }

    /// Sends requests elsewhere from now on, and resets the connections that there are.
    func reroute(_ route: @escaping Route) {
        state.withLock { $0.route = route }
        relay.withLock { $0?.cut() }
    }

    /// Keeps back what watches bring, as a server whose caches are behind.
    func holdWatches(_ isHeld: Bool) { state.withLock { $0.holdsWatches = isHeld } }

    func stop() { relay.withLock { $0?.stop() } }

    private func serve(_ client: Int32) {
        let life = log?.life ?? 0
        var reader = WireReader(client)
        var server: (port: Int, reader: WireReader)?
        defer { server.map { _ = close($0.reader.descriptor) } }
        while let head = reader.takeHead(), let body = reader.takeBody(of: head) {
            guard log?.isAlive(life) ?? true else { return }
            let port = state.withLock { $0.route }(head)
            if server?.port != port {
                server.map { _ = close($0.reader.descriptor) }
                server = Loopback.connect(to: port).map { (port, WireReader($0)) }
            }
            guard var upstream = server?.reader, Loopback.write(head.bytes + body, to: upstream.descriptor) else {
                return
            }
            if head.isWatch {
                guard follow(upstream, for: &reader, life) else { return }
                close(upstream.descriptor)
                server = nil
                continue
            }
            guard let answer = upstream.takeHead(), let content = upstream.takeBody(of: answer) else { return }
            server?.reader = upstream
            guard hand(answer.bytes + content, of: head, answer, to: client, life) else { return }
        }
    }

    private func hand(_ answer: [UInt8], of request: HTTPHead, _ head: HTTPHead, to client: Int32, _ life: Int) -> Bool
    {
        guard request.isWrite, !request.path.contains("/leases") else { return Loopback.write(answer, to: client) }
        let label = "\(request.method) \(request.path) \(head.target)"
        state.withLock { state in
            state.requests.append(label)
            if let trap = state.trap, trap.write == state.requests.count { trap.spring() }
        }
        switch log?.happened(label, in: life) ?? .forward {
        case .forward: return Loopback.write(answer, to: client)
        case .withhold: return false
        case .forwardAndKill:
            Loopback.write(answer, to: client)
            log?.kill()
            return false
        }
    }

    /// Hands on a watch until one of both ends. True when the client asks for something else on its connection.
    private func follow(_ server: WireReader, for client: inout WireReader, _ life: Int) -> Bool {
        var buffer = [UInt8](repeating: 0, count: 65536)
        while log?.isAlive(life) ?? true {
            let isHeld = state.withLock { $0.holdsWatches }
            var descriptors = [
                pollfd(fd: client.descriptor, events: Int16(POLLIN), revents: 0),
                pollfd(fd: server.descriptor, events: isHeld ? 0 : Int16(POLLIN), revents: 0),
            ]
            guard poll(&descriptors, 2, isHeld ? 20 : 100) >= 0 else { return false }
            if descriptors[0].revents != 0 { return client.fill() }
            // It may have been held since.
            guard descriptors[1].revents != 0, !state.withLock({ $0.holdsWatches }) else { continue }
            let count = recv(server.descriptor, &buffer, buffer.count, 0)
            guard count > 0, Loopback.write(buffer[..<count], to: client.descriptor) else { return false }
        }
        return false
    }
}
