import Testing

@testable import MigrationOperator

@Suite("A spec beyond its schema")
struct SpecValidationTests {
    @Test("nothing is found in what can be tried")
    func good() {
        #expect(SpecValidation.findings(migration()) == [])
        let more = migration(
            #""rollouts": [{"apiVersion": "apps/v1", "kind": "Deployment", "name": "api"}], "dependsOn": ["a"]"#,
            changes: """
                [{"addColumn": {"table": "t", "column": {"name": "a", "type": "text", "nullable": false}, "forward": "x",
                                "default": "'y'"}},
                 {"alterColumn": {"table": "t", "column": "b", "nullable": false}},
                 {"alterColumn": {"table": "t", "column": "c", "to": {"name": "d", "type": "bigint"},
                                  "forward": "c", "backward": "d"}},
                 {"dropColumn": {"table": "t", "column": "e"}},
                 {"sql": {"expand": ["CREATE TABLE u ()"]}}]
                """)
        #expect(SpecValidation.findings(more) == [])
    }

    @Test(
        "each finding names its field",
        arguments: [
            (
                #"[{"addColumn": {"table": "t", "column": {"name": "a", "type": "int", "nullable": false}}}]"#,
                "spec.changes[0].addColumn.column.nullable"
            ),
            (#"[{"alterColumn": {"table": "t", "column": "a"}}]"#, "spec.changes[0].alterColumn"),
            (
                #"[{"alterColumn": {"table": "t", "column": "a", "default": "1", "dropDefault": true}}]"#,
                "spec.changes[0].alterColumn"
            ),
            (
                #"[{"alterColumn": {"table": "t", "column": "a", "nullable": true, "forward": "a"}}]"#,
                "spec.changes[0].alterColumn"
            ),
            (
                #"[{"alterColumn": {"table": "t", "column": "a", "to": {"name": "b", "type": "int"}, "forward": "a"}}]"#,
                "spec.changes[0].alterColumn"
            ),
            (
                #"""
                [{"replaceColumns": {"table": "t", "from": ["a"], "to": [{"name": "b", "type": "int"}],
                  "forward": {"c": "a"}, "backward": {"a": "b"}}}]
                """#, "spec.changes[0].replaceColumns.forward"
            ),
            (
                #"""
                [{"replaceColumns": {"table": "t", "from": ["a"], "to": [{"name": "b", "type": "int"}, {"name": "b", "type": "int"}],
                  "forward": {"b": "a"}, "backward": {"a": "b"}}}]
                """#, "spec.changes[0].replaceColumns"
            ),
            (
                #"""
                [{"addColumn": {"table": "t", "column": {"name": "a", "type": "int"}}},
                 {"addColumn": {"table": "t", "column": {"name": "a", "type": "int"}}}]
                """#, "spec.changes[1].addColumn"
            ),
            (#"[{"dropColumn": {"table": "t", "column": "a"}, "sql": {}}]"#, "spec.changes[0]"),
            ("[]", "spec.changes"),
        ])
    func changes(_ changes: String, _ path: String) {
        let findings = SpecValidation.findings(migration(changes: changes))
        #expect(findings.first?.path == path)
    }

    @Test("an application that writes both sides is taken where there are two, and refused by name where there are not")
    func applicationWrites() {
        let writer = #""dualWrite": {"by": "Application"}"#
        #expect(SpecValidation.findings(migration(writer)) == [])
        let single = migration(writer, changes: #"[{"dropColumn": {"table": "t", "column": "a"}}]"#)
        #expect(SpecValidation.findings(single).map(\.path) == ["spec.dualWrite.by"])
    }

    @Test(
        "the rest of the spec, too",
        arguments: [
            (#""dependsOn": ["a", "split"]"#, "spec.dependsOn[1]"),
            (#""backfill": {"chunkDuration": "2m"}"#, "spec.backfill.chunkDuration"),
            (#""backfill": {"chunkDuration": "fast"}"#, "spec.backfill.chunkDuration"),
            (#""backfill": {"workers": 17}"#, "spec.backfill.workers"),
            (#""backfill": {"throttle": {"share": 0}}"#, "spec.backfill.throttle.share"),
            (#""backfill": {"throttle": {"serverWorkers": 65}}"#, "spec.backfill.throttle.serverWorkers"),
            (#""backfill": {"throttle": {"maxRowsPerSecond": 0}}"#, "spec.backfill.throttle.maxRowsPerSecond"),
            (#""backfill": {"throttle": {"maxDeadRows": -1}}"#, "spec.backfill.throttle.maxDeadRows"),
            (#""rollouts": [{"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "db"}]"#, "spec.rollouts[0]"),
            (
                #"""
                "rollouts": [{"apiVersion": "apps/v1", "kind": "Deployment", "name": "api"}],
                "contract": {"withoutRollouts": true}
                """#, "spec.contract.withoutRollouts"
            ),
            (#""deletionPolicy": "Maybe""#, "spec"),
            (#""dualWrite": {"by": "Nobody"}"#, "spec"),
        ])
    func rest(_ spec: String, _ path: String) {
        #expect(SpecValidation.findings(migration(spec)).first?.path == path)
    }
}
