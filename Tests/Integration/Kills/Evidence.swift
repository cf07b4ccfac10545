import Foundation
import Journeys
import Synchronization
import TestSupport

/// How settled promises were seen, by anybody and at any time, and what was wrong at any time.
final class Evidence: Sendable {
    private let seen = Mutex<[String: Set<Sighting>]>([:])
    private let found = Mutex<[String]>([])

    func add(_ snapshot: Snapshot) {
        for promise in snapshot.promises { promise.sighting.map { add($0) } }
        found.withLock { $0 += snapshot.flaws }
    }

    func add(_ sighting: Sighting) {
        seen.withLock { _ = $0[sighting.id, default: []].insert(sighting) }
    }

    /// What processes have noted in the files of a folder. A line that was being written when its process was killed tells
    /// of nothing: nothing followed from it.
    func add(notes folder: String) throws {
        for file in try FileManager.default.contentsOfDirectory(atPath: folder) {
            let data = FileManager.default.contents(atPath: "\(folder)/\(file)") ?? Data()
            for line in data.split(separator: UInt8(ascii: "\n")) {
                if let sighting = try? JSONDecoder().decode(Sighting.self, from: line) { add(sighting) }
            }
        }
    }

    var sightings: [String: Set<Sighting>] { seen.withLock { $0 } }
    var flaws: [String] { found.withLock { $0 } }
}

/// The promises in a database at one moment, and what is wrong about them.
struct Snapshot: Sendable {
    struct Promise: Decodable, Sendable {
        var id: String
        var origin: String?
        var state: String
        var data: String?
        var settledAt: Int64?

        var sighting: Sighting? {
            settledAt.map { Sighting(id: id, state: state, data: data, settledAt: $0) }
        }
    }

    var promises: [Promise]
    /// What holds of no state that the store may leave behind, however it was interrupted.
    var flaws: [String]

    /// All of one transaction.
    static func take(_ database: String) async throws -> Snapshot {
        let lines = try await Psql.run(
            """
            BEGIN ISOLATION LEVEL REPEATABLE READ;
            SELECT json_build_object('id', id, 'origin', tags ->> 'resonate:origin', 'state', state, 'data', value ->> 'data',
                'settledAt', settled_at) FROM sluice.promise;
            SELECT to_json(what || ' ' || id) FROM (\(flaws)) f (what, id);
            COMMIT;
            """,
            on: database)
        var snapshot = Snapshot(promises: [], flaws: [])
        for line in lines.split(separator: "\n") {
            let data = Data(line.utf8)
            if line.hasPrefix("{") {
                snapshot.promises.append(try JSONDecoder().decode(Promise.self, from: data))
            } else {
                snapshot.flaws.append(try JSONDecoder().decode(String.self, from: data))
            }
        }
        return snapshot
    }

    /// Whatever would keep a workflow from going on for ever.
    private static let flaws = """
        SELECT 'nothing will offer the task', id FROM sluice.task t WHERE state IN ('pending', 'acquired')
            AND NOT EXISTS (SELECT FROM sluice.timer m WHERE m.kind = 'task' AND m.id = t.id)
        UNION ALL SELECT 'nothing will wake the task', id FROM sluice.task t WHERE state = 'suspended' AND NOT EXISTS (
            SELECT FROM sluice.callback c JOIN sluice.promise p ON p.id = c.awaited
            WHERE c.awaiter = t.id AND p.state = 'pending')
        UNION ALL SELECT 'nobody told those who wait for', p.id FROM sluice.promise p WHERE p.state <> 'pending' AND (
            EXISTS (SELECT FROM sluice.callback c WHERE c.awaited = p.id)
            OR EXISTS (SELECT FROM sluice.listener l WHERE l.awaited = p.id))
        UNION ALL SELECT 'nothing will end the wait for', p.id FROM sluice.promise p WHERE p.state = 'pending'
            AND (p.tags ? 'resonate:target' OR 'true' IN (p.tags ->> 'resonate:timer', p.tags ->> 'resonate:external'))
            AND NOT EXISTS (SELECT FROM sluice.timer m WHERE m.kind = 'promise' AND m.id = p.id)
        UNION ALL SELECT 'the task is not as its promise:', p.id FROM sluice.promise p JOIN sluice.task t USING (id)
            WHERE (p.state = 'pending') = (t.state = 'fulfilled')
        """

    /// What is still to be done.
    static func leftovers(_ database: String) async throws -> [String] {
        try await Psql.run(
            """
            SELECT 'promise ' || id FROM sluice.promise WHERE state = 'pending'
            UNION ALL SELECT 'task ' || id || ': ' || state FROM sluice.task WHERE state <> 'fulfilled'
            UNION ALL SELECT 'message ' || key || ' for ' || address FROM sluice.message
            UNION ALL SELECT 'timer of ' || kind || ' ' || id FROM sluice.timer
            UNION ALL SELECT 'callback of ' || awaiter || ' on ' || awaited FROM sluice.callback
            UNION ALL SELECT 'listener on ' || awaited FROM sluice.listener
            """,
            on: database
        ).split(separator: "\n").map { String($0) }
    }

    /// How what was seen differs from what is there.
    func contradictions(to evidence: Evidence) -> [String] {
        let stored = Dictionary(uniqueKeysWithValues: promises.map { ($0.id, $0) })
        return evidence.sightings.values.flatMap { $0 }.compactMap { sighting in
            guard let promise = stored[sighting.id] else { return "\(sighting) was seen, and is gone" }
            return promise.sighting == sighting ? nil : "\(sighting) was seen, and it is \(promise)"
        }
    }

    /// The marks of the steps of an execution and of all below it: one for each step that is recorded.
    func marks(of origin: String) -> [String] {
        promises.filter { $0.origin == origin }.compactMap { promise in
            guard let data = promise.data.flatMap({ Data(base64Encoded: $0) }) else { return nil }
            return try? JSONDecoder().decode(Stamp.self, from: data).mark
        }
    }
}
