import DurablePromises
import Logging
import RemotePromises
import Synchronization
import TestSupport
import Testing

/// Two `sluice server` processes on one database, and clients who ask them by HTTP while they are killed.
@Suite("linearizability, servers that are killed", .serialized)
struct KilledServersTests {
    @Test("two servers answer as one would, though each is killed and started again", .timeLimit(.minutes(30)))
    func servers() async throws {
        let seed = UInt64.random(in: 1...1_000_000)
        try await withTestDatabase { database in
            try await withSluiceServer(on: database) { first in
                try await withSluiceServer(on: database) { second in
                    let replicas = [Replica(first), Replica(second)]
                    for replica in replicas { try await replica.server.becomeReady() }
                    let load = ConcurrentLoad(
                        ask: { client, request in await Self.ask(replicas, client, request) },
                        clients: 64, width: 32, families: TestServers.isSoak ? 8000 : 860, seed: seed
                    )
                    let families = try await Self.underKills(replicas, seed: seed) { await load.run(prefix: "k") }
                    let kills = replicas.reduce(0) { $0 + $1.kills.load(ordering: .relaxed) }
                    let report = await HistoryReport.check(families)
                    print("linearizability, two servers, killed \(kills) times, seed \(seed): \(report)")
                    #expect(report.isLinearizable, "seed \(seed): \(report.violations.first ?? "") \(report.undecided)")
                    #expect(report.operations >= 100_000)
                    #expect(kills >= 5)
                    for status in [200, 300, 404, 409, 422] {
                        #expect(report.statuses[status, default: 0] > 100, "\(status)")
                    }
                }
            }
        }
    }

    /// A server, and whether it is there to be asked.
    private final class Replica: Sendable {
        let server: RunningServer
        let client: HTTPPromiseClient
        let isUp = Atomic(true)
        let kills = Atomic(0)

        init(_ server: RunningServer) {
            self.server = server
            var logger = Logger(label: "sluice.client")
            logger.logLevel = .critical
            client = HTTPPromiseClient(url: server.url, timeout: .seconds(20), logger: logger)
        }

        /// Kills it, and starts it again after a while.
        func fail(for pause: Duration) async throws {
            isUp.store(false, ordering: .releasing)
            kills.add(1, ordering: .relaxed)
            try await server.kill()
            try await Task.sleep(for: pause)
            try await server.restart()
            try await server.becomeReady()
            isUp.store(true, ordering: .releasing)
        }
    }

    /// Each client has a server of its own, and asks the other one while that is away.
    private static func ask(_ replicas: [Replica], _ client: Int, _ request: Request) async -> ConcurrentLoad.Outcome {
        let own = replicas[client % replicas.count]
        let replica = own.isUp.load(ordering: .acquiring) ? own : replicas[(client + 1) % replicas.count]
        do {
            let response = try await replica.client.process(request)
            // A server that lost its database knows as little as a client that lost its server.
            return response.status < 500 ? .answered(response) : .unknown
        } catch {
            return .unknown
        }
    }

    /// Runs `body` while one server after the other is killed, at moments that the seed says.
    private static func underKills(
        _ replicas: [Replica], seed: UInt64, _ body: @escaping @Sendable () async -> [Family]
    ) async throws -> [Family] {
        try await withThrowingTaskGroup(of: [Family]?.self) { group in
            group.addTask { await body() }
            group.addTask {
                var random = SplitMix(seed: seed)
                while !Task.isCancelled {
                    let quiet = Duration.milliseconds(Int.random(in: 200...1800, using: &random))
                    let away = Duration.milliseconds(Int.random(in: 0...500, using: &random))
                    let victim = replicas[Int.random(in: 0..<replicas.count, using: &random)]
                    do { try await Task.sleep(for: quiet) } catch { break }
                    // To its end, whoever is cancelled: the server is asked to stop afterwards.
                    try await Task { try await victim.fail(for: away) }.value
                }
                return nil
            }
            defer { group.cancelAll() }
            while let families = try await group.next() { if let families { return families } }
            return []
        }
    }
}
