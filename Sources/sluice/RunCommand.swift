public import ArgumentParser
import Foundation
import Logging
import MigrationEngine
import PostgreSQL
public import SchemaChange
import UnixSignals

/// `sluice run`: the whole workflow without Kubernetes.
struct RunCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "run",
        abstract: "Walks a Migration to its phase, in the foreground, without Kubernetes.",
        discussion: """
            Exits 0 when the phase is reached, 1 when somebody must mend the spec or the data first. Killed at any \
            moment and run again, it goes on where it stopped, once the lease of the one that died is over. Several Migrations \
            are walked one after the other, each behind those that its dependsOn names; to Initial in the opposite order.

            EXAMPLE:
              SLUICE_DATABASE_URL=postgresql://app@db.example/shop sluice run -f split-name.yaml --phase Backfill
              sluice run -f migrations/ --fresh --database-url postgresql://app@localhost/shop_test
            """
    )

    @Option(
        name: .shortAndLong, parsing: .upToNextOption,
        help: "Files with Migrations, folders of them, or - for standard input.")
    var file: [String]

    @Option(name: .long, help: "Initial, Expand, DualWrite, Backfill or Contract; else that of the file.")
    var phase: Phase?

    @Option(name: .long, help: "How long, in seconds, a worker may be silent before another takes over; 1 to 86400.")
    var leaseSeconds: Double = 10

    @Flag(
        name: .long,
        help: ArgumentHelp(
            "The database is a new one that no application uses: replay the history at once.",
            discussion: """
                Every Migration goes to its phase with no soak time, no approval and no archive. Refused where a table that it \
                changes has more than 1 MiB.
                """))
    var fresh = false

    @OptionGroup var database: DatabaseOptions
    @OptionGroup var log: LogOptions

    func validate() throws {
        // No range has what is not a number.
        guard (1...86_400).contains(leaseSeconds) else {
            throw ValidationError("--lease-seconds is from 1 to 86400, a day")
        }
    }

    func run() async throws {
        let chain = try ManifestChain.read(file)
        let manifests = fresh ? chain.manifests.map(\.replayed) : chain.manifests
        for manifest in manifests where (phase ?? manifest.spec.desiredPhase) == .contract {
            guard manifest.spec.contract?.withoutRollouts == true else {
                throw ValidationError(
                    "\(manifest.name): only the operator can see whether the old version is gone; once you know that it is, "
                        + "say so in the file: contract: {withoutRollouts: true}"
                )
            }
        }
        let engine = MigrationEngine(
            database: try database.configuration(),
            worker: "run/\(ProcessInfo.processInfo.hostName)/\(ProcessInfo.processInfo.processIdentifier)",
            leaseDuration: .seconds(leaseSeconds),
            logger: try log.logger("sluice", standard: .warning)
        )
        let given = Set(manifests.map(\.name))
        if phase != .initial {
            for manifest in manifests { try await engine.requireDependencies(of: manifest, but: given) }
        }
        // What was done last is undone first.
        for manifest in phase == .initial ? manifests.reversed() : manifests {
            try await walk(manifest, engine: engine, isOneOfSeveral: manifests.count > 1)
        }
    }

    private func walk(_ manifest: ManifestFile, engine: MigrationEngine, isOneOfSeveral: Bool) async throws {
        let target = phase ?? manifest.spec.desiredPhase
        let display = ProgressDisplay(name: manifest.name.description)
        let outcome = try await untilSignalled {
            if fresh { try await requireFresh(manifest, engine) }
            return try await walk(manifest, to: target, engine: engine, display: display)
        }
        display.finish()
        switch outcome {
        case .finished(let report):
            if isOneOfSeveral { print(manifest.name) }
            print(Summary.of(report))
            if case .stalled = report.activity { throw ExitCode(1) }
        case .signalled(let signal):
            print("stopped; run it again, and it goes on from here")
            throw ExitCode(128 + signal)
        }
    }

    private func requireFresh(_ manifest: ManifestFile, _ engine: MigrationEngine) async throws {
        do {
            try await engine.requireFresh(for: manifest.spec)
        } catch let used as UsedTable {
            throw ValidationError("\(manifest.name): \(used); run it without --fresh, which waits for who uses it")
        }
    }

    /// Until it is reached or stalled; what it must wait for is asked again every second.
    private func walk(
        _ manifest: ManifestFile,
        to target: Phase,
        engine: MigrationEngine,
        display: ProgressDisplay
    ) async throws -> MigrationReport {
        let guards: any MigrationGuards = fresh ? Unused() : Unguarded()
        // What is to be kept for no time goes at once; nobody runs it once more for that.
        var dropsArchive = target == .contract && manifest.spec.contract?.keepFor?.duration == .zero
        while true {
            let report = try await engine.run(
                manifest.name,
                uid: nil,
                spec: manifest.spec,
                to: target,
                guards: guards,
                report: { display.show($0) }
            )
            guard case .waiting = report.activity else {
                if case .stalled = report.activity { return report }
                guard dropsArchive else { return report }
                dropsArchive = false
                continue
            }
            display.wait(report)
            try await Task.sleep(for: .seconds(1))
        }
    }

    /// Outside Kubernetes there is nothing to look at; the file said so.
    private struct Unguarded: MigrationGuards {
        func mayContract() async throws -> GuardVerdict { .allowed }
        func mayGoBack(to phase: Phase) async throws -> GuardVerdict { .allowed }
    }

    /// Where no application is, every writer that runs writes both sides.
    private struct Unused: MigrationGuards {
        func mayContract() async throws -> GuardVerdict { .allowed }
        func mayGoBack(to phase: Phase) async throws -> GuardVerdict { .allowed }
        func answer(to question: GuardQuestion) async throws -> GuardAnswer? { .yes(who: "sluice run --fresh") }
    }
}

extension ManifestFile {
    /// As it is walked where nobody has to be waited for, and nothing has to be kept. Plan and proof are the same.
    fileprivate var replayed: ManifestFile {
        var replayed = self
        var contract = spec.contract ?? ContractSettings()
        contract.soak = SpecDuration(.zero)
        contract.keepFor = SpecDuration(.zero)
        contract.withoutRollouts = true
        replayed.spec.contract = contract
        replayed.spec.approval = ApprovalPolicy.none
        return replayed
    }
}

extension MigrationEngine {
    /// Refuses a Migration whose `dependsOn` names one that is not verified in the database, and is not among those `given`.
    fileprivate func requireDependencies(of manifest: ManifestFile, but given: Set<MigrationName>) async throws {
        for dependency in manifest.dependencies where !given.contains(dependency) {
            let report = try await observe(dependency)
            if let report, report.phase >= .backfill, report.certificate != nil { continue }
            throw ValidationError(
                "\(manifest.name) depends on \(dependency), which "
                    + (report.map { "is at \($0.phase.rawValue)" } ?? "this database does not know")
                    + ": walk that to Backfill first, or give its file as well")
        }
    }
}

extension Phase: ExpressibleByArgument {}

enum Outcome<Value: Sendable>: Sendable {
    case finished(Value)
    case signalled(Int32)
}

/// Runs `body` until it ends, or until SIGTERM or SIGINT comes: then it is cancelled, and waited for.
func untilSignalled<Value: Sendable>(
    _ body: @escaping @Sendable () async throws -> Value
) async throws -> Outcome<Value> {
    let signals = await UnixSignalsSequence(trapping: .sigterm, .sigint)
    return try await withThrowingTaskGroup(of: Outcome<Value>?.self) { group in
        group.addTask { .finished(try await body()) }
        group.addTask {
            for await signal in signals { return .signalled(signal == .sigint ? SIGINT : SIGTERM) }
            return nil
        }
        let first = try await group.next() ?? nil
        group.cancelAll()
        while true {
            // What was cancelled ends with CancellationError; it is waited for all the same.
            do {
                guard try await group.next() != nil else { break }
            } catch {}
        }
        guard let first else { throw CancellationError() }
        return first
    }
}
