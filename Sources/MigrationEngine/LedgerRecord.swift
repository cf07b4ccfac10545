internal import Foundation
internal import PostgreSQL
internal import SchemaChange

/// A migration as the ledger in the target knows it.
struct LedgerRecord: Sendable {
    let id: String
    var uid: String?
    /// Its place in the queue of its tables.
    var ordinal: Int64
    var planHash: String
    /// As it was rendered when it was pinned.
    var plan: Plan
    /// Where its present walk leads.
    var target: Phase
    var walk: Int64
    var fence: Int64
    /// The last phase that is complete.
    var phase: Phase
    /// The fingerprint of the dual write's triggers when they were created.
    var triggers: String?
    var certificate: Certificate?
    /// When it was first proven: from then on an application may depend on it.
    var provenAt: Date?
    /// Until when Contract can be undone.
    var keptUntil: Date?
    /// Whether that time is over, by the database's clock.
    var isKeepingOver: Bool
    /// Whether the archive is gone.
    var isPurged: Bool
    /// See ``Ledger/doubt(on:)``.
    var isInDoubt: Bool
    var server: ServerIdentity
    /// The tokens of the mappings whose rows were all filled since their triggers are there.
    var filled: Set<String>
    /// The ids of the steps that are in force.
    var applied: Set<String>

    /// Whether nothing of the plan is in force.
    var isUntouched: Bool { phase == .initial && applied.isEmpty }

    /// The root promise of the present walk.
    var promise: String {
        WalkID.of(id, planHash: planHash, walk: walk)
    }

    /// The root promise of the archive's end in the present walk.
    var purgePromise: String { promise + "-purge" }

    fileprivate static func date(_ row: PostgresRow, _ name: String) throws -> Date? {
        guard row[name] != nil else { return nil }
        return Date(timeIntervalSince1970: try row.double(name))
    }

    static let columns = """
        id, uid, ordinal, plan_hash, plan, target, walk, fence, phase, triggers, certificate, purged, in_doubt, server,
        extract(epoch FROM proven_at) AS proven_at, extract(epoch FROM kept_until) AS kept_until,
        coalesce(kept_until <= clock_timestamp(), false) AS keeping_over,
        to_json(filled) AS filled,
        (SELECT coalesce(json_agg(step), '[]') FROM sluice.step s WHERE s.migration = m.id) AS applied
        """
}

extension LedgerRecord {
    init(_ row: PostgresRow) throws {
        id = try row.text("id")
        uid = row["uid"]
        ordinal = try row.integer("ordinal")
        planHash = try row.text("plan_hash")
        plan = try LedgerJSON.decode(Plan.self, from: try row.text("plan"))
        target = Phase(rawValue: try row.text("target")) ?? .initial
        walk = try row.integer("walk")
        fence = try row.integer("fence")
        phase = Phase(rawValue: try row.text("phase")) ?? .initial
        triggers = row["triggers"]
        certificate = try row["certificate"].map { try LedgerJSON.decode(Certificate.self, from: $0) }
        provenAt = try Self.date(row, "proven_at")
        keptUntil = try Self.date(row, "kept_until")
        isKeepingOver = try row.boolean("keeping_over")
        isPurged = try row.boolean("purged")
        isInDoubt = try row.boolean("in_doubt")
        server = try LedgerJSON.decode(ServerIdentity.self, from: try row.text("server"))
        filled = try LedgerJSON.decode(Set<String>.self, from: try row.text("filled"))
        applied = try LedgerJSON.decode(Set<String>.self, from: try row.text("applied"))
    }
}

/// JSON as the ledger stores it.
enum LedgerJSON {
    static func encode(_ value: some Encodable) throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        encoder.dateEncodingStrategy = .iso8601
        return String(decoding: try encoder.encode(value), as: UTF8.self)
    }

    static func decode<Value: Decodable>(_ type: Value.Type, from text: String) throws -> Value {
        let decoder = JSONDecoder()
        decoder.dateDecodingStrategy = .iso8601
        return try decoder.decode(type, from: Data(text.utf8))
    }
}

extension Ledger {
    /// Whether another worker has pinned a plan, or made a step, since `record` was read: what was made of that, or could not be,
    /// means nothing any more.
    func isOvertaken(_ record: LedgerRecord?, on connection: PostgresConnection) async throws -> Bool {
        guard let now = try await read(connection) else { return false }
        return now.planHash != record?.planHash || now.walk != record?.walk || now.applied != record?.applied
    }
}
