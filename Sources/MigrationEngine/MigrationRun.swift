internal import Foundation
internal import Logging
internal import PostgreSQL
internal import SchemaChange
internal import Synchronization

/// One run of one migration towards a phase: decides, plans, pins, and travels.
final class MigrationRun: Sendable {
    let engine: MigrationEngine
    let name: MigrationName
    let uid: String?
    let spec: MigrationSpec
    let target: Phase
    let guards: any MigrationGuards
    let reporter: Reporter
    let logger: Logger

    private let what = Mutex("connecting")

    init(
        engine: MigrationEngine,
        name: MigrationName,
        uid: String?,
        spec: MigrationSpec,
        target: Phase,
        guards: any MigrationGuards,
        reporter: Reporter,
        logger: Logger
    ) {
        self.engine = engine
        self.name = name
        self.uid = uid
        self.spec = spec
        self.target = target
        self.guards = guards
        self.reporter = reporter
        self.logger = logger
    }

    var ledger: Ledger { Ledger(name: name) }

    /// What it is doing, for the message of an error.
    var doing: String {
        get { what.withLock { $0 } }
        set { what.withLock { $0 = newValue } }
    }

    func run() async throws {
        try await engine.connected(to: spec.schema) { connection in
            do {
                try await run(on: connection)
            } catch  where !(error is CancellationError) {
                // Those that wait for it say why. Where it cannot be noted, they say that it is on its way.
                if let obstacle = Obstacle(Interruption(error, while: doing)) {
                    try? await ledger.note(obstacle, on: connection)
                }
                throw error
            }
        }
    }

    private func run(on connection: PostgresConnection) async throws {
        doing = "planning"
        try await Privileges.require(in: spec.schema, on: connection)
        try await Ledger.install(on: connection)
        let planner = Planner(name: name, spec: spec)
        let server = try await ServerIdentity.read(connection)
        let hash = try await planner.hash(on: connection)
        // Before anything is said of a plan that may be another one.
        reporter.update { $0.wantedPlanHash = hash }
        while true {
            try Task.checkCancellation()
            var record = try await ledger.read(connection)
            if let found = record {
                if found.server != server {
                    logger.notice("the server is not the one of the proof; proving again")
                    try await ledger.moveTo(server, on: connection)
                }
                if let uid, found.uid != uid {
                    logger.notice("adopting the ledger's entry", metadata: ["from": "\(found.uid ?? "none")"])
                    try await ledger.adopt(uid: uid, on: connection)
                }
                record = try await ledger.read(connection)
            }
            reporter.take(record)
            if let record {
                doing = "cancelling the promises of earlier walks"
                try await AbandonedWalks(before: record).cancel(by: engine, schema: spec.schema, on: connection)
                doing = "planning"
            }
            let decision = WalkDecision.decide(record, planHash: hash, target: target)
            logger.debug("decided", metadata: ["decision": "\(decision.word)"])
            switch (decision, record) {
            case (.rest, let record?):
                if try await ledger.isPurgeUnsaid(record, on: connection) {
                    try await Travel(run: self, record: record, target: target).purge(on: connection)
                }
                return
            case (.refuse(let interruption), _):
                throw interruption
            case (.pin, _):
                do {
                    try await plan(by: planner, on: server, on: connection)
                } catch  where error is PlanError || error is Interruption {
                    guard try await ledger.isOvertaken(record, on: connection) else { throw error }
                }
            case (.undoOldPlan, let record?):
                reporter.working("Replanning", reason: "PlanChanged", "undoing the plan that was never proven")
                _ = try await Travel(run: self, record: record, target: .initial).go(on: connection)
            case (.travel, let record?):
                let arrived = try await Travel(run: self, record: record, target: target).go(on: connection)
                if arrived { return }
            case (.purge, let record?):
                try await Travel(run: self, record: record, target: target).purge(on: connection)
            case (_, nil):
                return
            }
        }
    }

    /// Makes the plan, says what it does, and pins it.
    private func plan(by planner: Planner, on server: ServerIdentity, on connection: PostgresConnection) async throws {
        reporter.working("Planning", reason: "Planning", "making the plan")
        let survey = Survey(name: name, spec: spec)
        let written = try await survey.written(on: connection)
        try written.requireNoError()
        let plan = try await planner.plan(on: connection)
        let preview = try await survey.preview(of: plan, written, on: connection)
        try preview.findings.requireNoError()
        reporter.update { $0.plan = PlanSummary(preview) }
        try await ledger.pin(plan, uid: uid, target: target, server: server, on: connection)
    }
}

extension WalkDecision {
    fileprivate var word: String {
        switch self {
        case .rest: "rest"
        case .pin: "pin"
        case .undoOldPlan: "undo the old plan"
        case .travel: "travel"
        case .purge: "purge"
        case .refuse: "refuse"
        }
    }
}
