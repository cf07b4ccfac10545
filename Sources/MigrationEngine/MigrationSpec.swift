public import Backfill
public import SchemaChange

/// What the user wants: the `spec` of a Migration, field by field as its reference documents it.
///
/// Every field but `changes` may be left out; the custom resource's schema gives the same defaults as the accessors here.
public struct MigrationSpec: Codable, Hashable, Sendable {
    public var phase: Phase?
    public var suspend: Bool?
    public var dependsOn: [String]?
    public var database: DatabaseReference?
    public var changes: [Change]
    public var dualWrite: DualWriteSettings?
    public var backfill: BackfillSettings?
    public var rollouts: [RolloutReference]?
    public var contract: ContractSettings?
    public var approval: ApprovalPolicy?
    /// Whether the new version finds the tables in their new shape in a schema of its own.
    public var views: Bool?
    public var lint: LintSettings?
    public var deletionPolicy: DeletionPolicy?

    public init(
        phase: Phase? = nil,
        suspend: Bool? = nil,
        dependsOn: [String]? = nil,
        database: DatabaseReference? = nil,
        changes: [Change],
        dualWrite: DualWriteSettings? = nil,
        backfill: BackfillSettings? = nil,
        rollouts: [RolloutReference]? = nil,
        contract: ContractSettings? = nil,
        approval: ApprovalPolicy? = nil,
        views: Bool? = nil,
        lint: LintSettings? = nil,
        deletionPolicy: DeletionPolicy? = nil
    ) {
        self.phase = phase
        self.suspend = suspend
        self.dependsOn = dependsOn
        self.database = database
        self.changes = changes
        self.dualWrite = dualWrite
        self.backfill = backfill
        self.rollouts = rollouts
        self.contract = contract
        self.approval = approval
        self.views = views
        self.lint = lint
        self.deletionPolicy = deletionPolicy
    }

    /// Where the user wants the migration to be: Backfill, unless it is said.
    public var desiredPhase: Phase { phase ?? .backfill }
    /// Who writes both sides: the database, unless it is said.
    public var writer: DualWriter { dualWrite?.by ?? .database }
    /// The schema that unqualified table names are of.
    public var schema: String { database?.schema ?? "public" }
}

/// What somebody has looked at and accepts.
public struct LintSettings: Codable, Hashable, Sendable {
    /// The codes of findings, as `docs/lint.md` names them.
    public var allow: [String]?

    public init(allow: [String]? = nil) {
        self.allow = allow
    }
}

extension MigrationSpec {
    /// The changes, as lint looks at them.
    public var lintable: Lint {
        let names = [contract?.oldSessions, contract?.newSessions, contract?.oldRoles, contract?.newRoles]
        return Lint(
            changes,
            setting: Lint.Setting(
                target: desiredPhase,
                writer: writer,
                hasViews: views == true,
                hasRollouts: rollouts?.isEmpty == false,
                isWithoutRollouts: contract?.withoutRollouts == true,
                namesSessions: names.contains { $0?.isEmpty == false },
                keepsNothing: contract?.keepFor?.duration == .zero,
                allowed: Set(lint?.allow ?? [])))
    }
}

/// Where the database is.
public struct DatabaseReference: Codable, Hashable, Sendable {
    public struct URLSource: Codable, Hashable, Sendable {
        public var secretKeyRef: SecretKeyReference

        public init(secretKeyRef: SecretKeyReference) {
            self.secretKeyRef = secretKeyRef
        }
    }

    /// A key of a Secret in the Migration's own namespace.
    public struct SecretKeyReference: Codable, Hashable, Sendable {
        public var name: String
        public var key: String

        public init(name: String, key: String) {
            self.name = name
            self.key = key
        }
    }

    public var urlFrom: URLSource?
    public var schema: String?

    public init(urlFrom: URLSource? = nil, schema: String? = nil) {
        self.urlFrom = urlFrom
        self.schema = schema
    }
}

/// Who writes both sides while both versions of the application run.
public struct DualWriteSettings: Codable, Hashable, Sendable {
    public var by: DualWriter?

    public init(by: DualWriter? = nil) {
        self.by = by
    }
}

/// How the backfill paces itself.
public struct BackfillSettings: Codable, Hashable, Sendable {
    /// How long one chunk should take, 40 ms unless it is said.
    public var chunkDuration: SpecDuration?
    /// Disjoint ranges of the table that are filled at the same time, 1 to 16.
    public var workers: Int?
    /// Ranges of pages, unless it is said.
    public var by: WalkMethod?
    /// What holds it.
    public var throttle: ThrottleSettings?

    public init(
        chunkDuration: SpecDuration? = nil, workers: Int? = nil, by: WalkMethod? = nil,
        throttle: ThrottleSettings? = nil
    ) {
        self.chunkDuration = chunkDuration
        self.workers = workers
        self.by = by
        self.throttle = throttle
    }
}

/// A workload that uses the tables: guarded at Contract and when going back.
public struct RolloutReference: Codable, Hashable, Sendable {
    public var apiVersion: String
    public var kind: String
    public var name: String

    public init(apiVersion: String, kind: String, name: String) {
        self.apiVersion = apiVersion
        self.kind = kind
        self.name = name
    }
}

/// What Contract waits for, and for how long it can be undone.
public struct ContractSettings: Codable, Hashable, Sendable {
    /// How long the proof must have held before Contract begins; one hour unless it is said.
    public var soak: SpecDuration?
    /// How long the archive is kept, and with it the way back; seven days unless it is said.
    public var keepFor: SpecDuration?
    /// Says that nothing which Kubernetes knows uses the tables.
    public var withoutRollouts: Bool?
    /// `application_name`s of the old version: Contract waits while a session of that name lives.
    public var oldSessions: [String]?
    /// `application_name`s of the new version: going back below Backfill waits while a session of that name lives.
    public var newSessions: [String]?
    /// Roles that the old version alone connects as: Contract waits while a session of one of them lives.
    public var oldRoles: [String]?
    /// Roles that the new version alone connects as: going back below Backfill waits while a session of one of them lives.
    public var newRoles: [String]?

    public init(
        soak: SpecDuration? = nil,
        keepFor: SpecDuration? = nil,
        withoutRollouts: Bool? = nil,
        oldSessions: [String]? = nil,
        newSessions: [String]? = nil,
        oldRoles: [String]? = nil,
        newRoles: [String]? = nil
    ) {
        self.soak = soak
        self.keepFor = keepFor
        self.withoutRollouts = withoutRollouts
        self.oldSessions = oldSessions
        self.newSessions = newSessions
        self.oldRoles = oldRoles
        self.newRoles = newRoles
    }
}

/// Whether somebody must agree before Contract takes the old side away.
public enum ApprovalPolicy: String, SpecWord, Sendable {
    /// Nobody has to.
    case none = "None"
    /// Contract waits for a promise that is settled from outside: see ``PublicPromise``.
    case required = "Required"
}

/// What deleting a Migration does to the database.
public enum DeletionPolicy: String, SpecWord, Sendable {
    /// Triggers, columns and ledger stay; the same manifest applied again adopts them.
    case orphan = "Orphan"
    /// Everything is undone first.
    case compensate = "Compensate"
}
