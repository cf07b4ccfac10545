import DurablePromises
import Foundation
import SchemaChange
import TestSupport
import Testing

@testable import MigrationEngine

@Suite("The approval of Contract")
struct ApprovalTests {
    @Test("why it was refused is said in a line, whatever was given")
    func reasons() {
        func reason(_ data: String?) -> String? { PromiseValue(data: data).statedReason }
        func base64(_ json: String) -> String { Data(json.utf8).base64EncodedString() }
        #expect(reason(nil) == nil && reason("") == nil && reason(" \n") == nil)
        #expect(reason("not on Friday") == "not on Friday")
        #expect(reason("Nope") == "Nope", "four letters can be base64, of nothing")
        #expect(reason(base64(#""too late""#)) == "too late")
        #expect(reason(base64(#"{"__type": "error", "message": "too soon"}"#)) == "too soon")
        #expect(reason("a\u{0}b\u{9B}c\u{202E}d\u{2028}e\r\nf") == "a b c d e  f")
        #expect(reason(String(repeating: "x", count: 200)) == String(repeating: "x", count: 200))
        #expect(reason("e" + String(repeating: "\u{301}", count: 5000))?.unicodeScalars.count == 201)
    }

    @Test("Contract says how long it waits after the proof, where the file does not")
    func soak() async throws {
        let setUp = "CREATE TABLE t (id bigint PRIMARY KEY, a integer); INSERT INTO t VALUES (1, 1)"
        try await EvolvingDatabase.with(setUp) { database in
            let change = AlterColumn(
                table: "t", column: "a", to: NewColumn(name: "b", type: "bigint"), forward: "a::bigint",
                backward: "b::integer")
            var spec = EvolvingDatabase.spec([.alterColumn(change)])
            spec.contract?.soak = nil
            try await database.walk(spec, to: .backfill)
            let byDefault = try await database.obstacle(spec, to: .contract)
            #expect(byDefault.hasPrefix("Soaking: contract waits until "))
            #expect(byDefault.hasSuffix(", 1h after the proof: contract.soak is not given"), "\(byDefault)")
            spec.contract?.soak = SpecDuration(.seconds(7200))
            let asked = try await database.obstacle(spec, to: .contract)
            #expect(asked.hasSuffix(", as contract.soak says"), "\(asked)")
        }
    }

    @Test("is a promise that anybody settles: until then nothing is taken away, and each walk asks again")
    func approval() async throws {
        let setUp = """
            CREATE TABLE t (id bigint PRIMARY KEY, a integer NOT NULL);
            INSERT INTO t SELECT i, i FROM generate_series(1, 100) i;
            """
        try await EvolvingDatabase.with(setUp) { database in
            var spec = EvolvingDatabase.spec([
                .alterColumn(
                    AlterColumn(
                        table: "t", column: "a", to: NewColumn(name: "b", type: "bigint"), forward: "a::bigint",
                        backward: "b::integer"))
            ])
            spec.approval = .required
            _ = try await database.walk(spec, to: .backfill)
            let waiting = try await database.obstacle(spec, to: .contract)
            let first = try await database.openQuestion()
            #expect(waiting.hasPrefix("WaitingForApproval: "))
            #expect(waiting.contains("sluice promise settle \(first) --state resolved"))
            #expect(first.hasPrefix("migration/shop/a/") && first.hasSuffix(":approval"))
            #expect(try await database.sql("SELECT count(a) FROM t") == "100")

            try await database.settle(first, .rejected, "not on Friday\n\u{1B}[31m")
            let refused = try await database.obstacle(spec, to: .contract)
            #expect(
                refused.contains(#"Contract was refused: "not on Friday  [31m"; to be asked again go to Backfill"#),
                "\(refused)")
            #expect(
                refused.contains("sluice run --phase Backfill, then --phase Contract; in Kubernetes set spec.phase"))
            #expect(refused.hasPrefix("NotApproved: ") && refused.contains("promise \(first) is rejected"))
            #expect(try await database.sql("SELECT count(a) FROM t") == "100")
            _ = try await database.walk(spec, to: .backfill)
            let again = try await database.obstacle(spec, to: .contract)
            let second = try await database.openQuestion()
            #expect(second != first && again.hasPrefix("WaitingForApproval: ") && again.contains(second))
            try await database.settle(second)
            #expect(try await database.walk(spec, to: .contract).phase == .contract)
        }
    }
}
