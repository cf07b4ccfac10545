import Backfill
import Dispatch
import Foundation
import MigrationEngine
import SchemaChange
import Synchronization
import TestSupport
import Testing

/// Servers that have another history than the one on which a walk began.
@Suite("A walk, and a server with another history")
struct FailoverTests {
    private static let rows = 6000

    private static let tables = """
        CREATE TABLE items (id bigint PRIMARY KEY, amount integer);
        INSERT INTO items SELECT i, i % 1000 FROM generate_series(1, \(rows)) i;
        ANALYZE items;
        """

    private static var spec: MigrationSpec {
        var spec = EvolvingDatabase.spec([
            .replaceColumns(
                ReplaceColumns(
                    table: "items", from: ["amount"], to: [NewColumn(name: "cents", type: "bigint")],
                    forward: ["cents": "amount::bigint * 100"], backward: ["amount": "(cents / 100)::integer"]))
        ])
        spec.backfill = BackfillSettings(chunkDuration: SpecDuration(.milliseconds(2)), workers: 1, by: .keys)
        return spec
    }

    private static let unfilled = "SELECT count(*) FROM items WHERE cents IS DISTINCT FROM amount * 100"

    @Test("a worker that outlives its primary proves nothing on the standby, which lost what it had done")
    func outlives() async throws {
        try await withServerPair(.lossy) { servers in
            try await EvolvingDatabase.on(servers.url, Self.tables) { database in
                try await database.walk(Self.spec, to: .dualWrite)
                let filling = Pause()
                let proving = Pause()
                let isComparing = Mutex(false)
                async let proof = database.engine.run(
                    MigrationName(namespace: "shop", name: "a"), uid: nil, spec: Self.spec, to: .backfill,
                    guards: EvolvingDatabase.AllowingGuards()
                ) { report in
                    guard let progress = report.progress else { return }
                    if progress.rowsDone > 0 { filling.stopOnce() }
                    guard report.step == "Verifying" else { return }
                    if progress.rowsDone < progress.rowsTotal {
                        isComparing.withLock { $0 = true }
                        // Long enough for a forecast, which tells the walk's chunks from its end.
                        Thread.sleep(forTimeInterval: 0.1)
                    } else if progress.estimatedCompletion == nil, isComparing.withLock({ $0 }) {
                        // Between the last row that is compared and the certificate.
                        proving.stopOnce()
                    }
                }
                await filling.reached()
                try await servers.stopReceiving()
                filling.release()
                await proving.reached()
                #expect(try await database.sql(Self.unfilled) == "0")
                let lost = try await servers.failOver(away: .zero)
                #expect(lost > 0)
                proving.release()

                let report = try await proof
                #expect(try await database.sql(Self.unfilled) != "0", "rows that were filled and compared are not")
                guard case .waiting(reason: "ServerChanged", _) = report.activity else {
                    throw TestFailure("\(report.activity)")
                }
                #expect(try await database.sql("SELECT count(certificate) FROM sluice.migration") == "0")

                let next = try await database.walk(Self.spec, to: .backfill)
                #expect(next.certificate?.rowsCompared == Int64(Self.rows))
                #expect(try await database.sql(Self.unfilled) == "0")
            }
        }
    }

    @Test("a server that is restored to a point in time goes on from there, or has no proof that holds")
    func pointInTime() async throws {
        let archive = try TestServers.folder + "/" + uniqueName("archive")
        try FileManager.default.createDirectory(
            atPath: archive, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o777])
        let settings = ["archive_mode=on", "archive_command=cp %p \(archive)/%f"]
        try await withPrivatePostgres(settings: settings) { server in
            let database = try await EvolvedDatabase.withItems(server.url, rows: 60_000, chunkDuration: "2ms")
            try await database.reach("DualWrite")
            let backup = try await server.backup(archive: archive)
            try await database.running { process in
                try await process.chunksLogged(10, of: "backfill")
                try await database.sql("SELECT pg_create_restore_point('middle')")
                #expect(try await process.waitForExit(within: .seconds(90)) == 0)
            }
            try await database.sql("SELECT pg_create_restore_point('end')")
            let end = try await database.sql("SELECT pg_walfile_name(pg_switch_wal())")
            try await eventually("the WAL is archived", within: .seconds(30)) {
                try await database.sql("SELECT last_archived_wal >= '\(end)' FROM pg_stat_archiver") == "t"
            }
            func copy(_ server: PrivatePostgres) -> EvolvedDatabase {
                EvolvedDatabase(server.url, chunkDuration: "2ms", changes: EvolvedDatabase.amountToCents)
            }
            try await backup.with(at: "middle") { server in
                let copy = copy(server)
                let unfilled = Int(try await copy.sql(Self.unfilled)) ?? 0
                #expect(unfilled > 0 && unfilled < 60_000)
                #expect(try await copy.reach("Backfill").contains("verified: 60000 rows compared"))
                #expect(try await copy.sql(Self.unfilled) == "0")
            }
            try await backup.with(at: "end") { server in
                let copy = copy(server)
                let proof = try await copy.verify()
                #expect(proof.status == 1 && proof.standardOutput.contains("restored or failed over since"), "\(proof)")
                try await copy.reach("DualWrite")
                #expect(try await copy.reach("Backfill").contains("verified: 60000 rows compared"))
                #expect(try await copy.verify().status == 0)
            }
        }
    }

    @Test("a copy that is restored from the middle of a backfill is proven by itself, and so is the server it is of")
    func restored() async throws {
        try await withPrivatePostgres { server in
            let database = try await EvolvedDatabase.withItems(server.url, rows: 60_000, chunkDuration: "2ms")
            try await database.reach("DualWrite")
            try await database.running { process in
                try await process.chunksLogged(10, of: "backfill")
                process.send(SIGSTOP)
                try await server.withStandby("copy") { server in
                    try await server.promote()
                    process.send(SIGCONT)
                    let copy = EvolvedDatabase(
                        server.url, chunkDuration: "2ms", changes: EvolvedDatabase.amountToCents)
                    #expect(try await copy.sql(Self.unfilled) != "0")
                    let proof = try await copy.run(to: "Backfill", logLevel: "notice")
                    #expect(proof.status == 0)
                    #expect(proof.standardError.contains("the server is not the one of the proof"))
                    #expect(proof.standardOutput.contains("verified: 60000 rows compared"))
                    #expect(try await copy.sql(Self.unfilled) == "0")
                }
                #expect(try await process.waitForExit(within: .seconds(90)) == 0)
                #expect(process.standardOutput.contains("verified: 60000 rows compared"))
            }
            #expect(try await database.sql(Self.unfilled) == "0")
        }
    }
}

/// A place in what is not asynchronous, where whoever comes first stops until a test lets him go on.
private final class Pause: Sendable {
    private let arrivals = AsyncStream.makeStream(of: Void.self)
    private let isReached = Mutex(false)
    private let released = DispatchSemaphore(value: 0)

    func stopOnce() {
        let isFirst = isReached.withLock { isReached in
            defer { isReached = true }
            return !isReached
        }
        guard isFirst else { return }
        arrivals.continuation.yield()
        released.wait()
    }

    func reached() async {
        for await _ in arrivals.stream { break }
    }

    func release() { released.signal() }
}
