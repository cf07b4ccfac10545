import Journeys
import Logging
import RemotePromises
import TestSupport
import Testing

/// Durable functions while whatever they need is killed: servers, workers in Swift and Python, and PostgreSQL.
@Suite("Everything is killed")
struct PromiseKillTests {
    /// 200 kills in `make soak`, by 20 seeds; 24 by four of them in `make test`.
    private static let seeds: ClosedRange<UInt64> = TestServers.isSoak ? 1...20 : 1...4
    private static let kills = TestServers.isSoak ? 10 : 6
    /// Each has a dozen processes, and at its end may have to wait for what a dead server had taken.
    private static let places = Places(2)

    @Test(
        "at random, and no settled promise changes, no message is lost, every workflow ends", .timeLimit(.minutes(30)),
        arguments: seeds)
    func everything(seed: UInt64) async throws {
        let hasPython = seed % 2 == 0
        try await Self.places.with {
            try await withFleet(python: hasPython) { fleet, notes in
                let schedule = KillSchedule(
                    seed: seed, count: Self.kills, servers: fleet.servers.count, workers: fleet.workers.count)
                let evidence = Evidence()
                do {
                    try await live(fleet, through: schedule, evidence, python: hasPython ? Fleet.python : nil)
                    try evidence.add(notes: notes)
                    let snapshot = try await Snapshot.take(fleet.postgres.url)
                    evidence.add(snapshot)
                    #expect(evidence.flaws == [], "seed \(seed): \(schedule)")
                    #expect(snapshot.contradictions(to: evidence) == [], "seed \(seed): \(schedule)")
                } catch {
                    let leftovers = (try? await Snapshot.leftovers(fleet.postgres.url)) ?? []
                    throw TestFailure(
                        """
                        seed \(seed): \(schedule)
                        \(error)
                        flaws: \(evidence.flaws.prefix(10)); left to do: \(leftovers.prefix(20))
                        """)
                }
            }
        }
    }

    /// Lets functions run and letters be written while the schedule is carried out, and waits until all has come to its end.
    private func live(
        _ fleet: Fleet, through schedule: KillSchedule, _ evidence: Evidence, python: String?
    ) async throws {
        let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        let clients = fleet.servers.map { HTTPPromiseClient(url: $0.url, timeout: .seconds(10), logger: logger) }
            .map { client in WitnessClient(client) { evidence.add($0) } }
        let travellers = Travellers(AnyServer(clients), python: python, logger: logger)
        let correspondents = Correspondents(clients, client: AnyServer(clients))
        let url = fleet.postgres.url
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { await travellers.run(8) }
            group.addTask { await correspondents.run(4) }
            group.addTask { await watch(url, evidence) }
            defer { group.cancelAll() }
            try await fleet.carryOut(schedule)
            travellers.stop()
            correspondents.stop()
            let began = ContinuousClock.now
            try await eventually("every journey has ended", within: .seconds(90), { travellers.underWay }) {
                $0.isEmpty
            }
            // What a server had taken when it was killed is delivered again a little later.
            try await eventually("every letter has arrived", within: .seconds(45), { correspondents.underWay }) {
                $0.isEmpty
            }
            try await eventually("nothing is left to do", within: .seconds(45), every: .milliseconds(200)) {
                try await Snapshot.leftovers(url)
            } until: {
                $0.isEmpty
            }
            print(
                """
                killed: \(schedule); \(travellers.logs.count) journeys and \(correspondents.arrived) letters, \
                \(evidence.sightings.count) promises seen; all had ended \(ContinuousClock.now - began) later
                """)
        }
        #expect(travellers.errors == [])
        #expect(travellers.logs.count >= 4 && correspondents.arrived >= 20)
        #expect(fleet.workers.allSatisfy { $0.exitStatus == nil })
        let snapshot = try await Snapshot.take(url)
        for (id, log) in travellers.logs {
            #expect(snapshot.marks(of: id).sorted() == log.marks.sorted(), "each step of \(id) has one result")
        }
    }

    /// Looks into the database every now and then, whenever there is one.
    private func watch(_ url: String, _ evidence: Evidence) async {
        while !Task.isCancelled {
            if let snapshot = try? await Snapshot.take(url) { evidence.add(snapshot) }
            do { try await Task.sleep(for: .milliseconds(500)) } catch { return }
        }
    }
}
