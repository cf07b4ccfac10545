import Foundation
import TestSupport
import Testing

@Suite("the servers that tests share")
struct TestServersTests {
    @Test("a test's database is its own, and is gone afterwards")
    func database() async throws {
        let name = try await withTestDatabase { url in
            try await Psql.run("CREATE TABLE t (a integer); INSERT INTO t VALUES (1), (2)", on: url)
            let count = try await Psql.run("SELECT count(*) FROM t", on: url)
            #expect(count == "2")
            return try await Psql.run("SELECT current_database()", on: url)
        }
        let left = try await Psql.run(
            "SELECT count(*) FROM pg_database WHERE datname = '\(name)'", on: TestServers.databaseURL)
        #expect(left == "0")
    }

    @Test("a statement that fails is an error with PostgreSQL's words")
    func failingStatement() async throws {
        let error = await #expect(throws: TestFailure.self) {
            try await Psql.run("SELECT 1/0", on: TestServers.databaseURL)
        }
        #expect(error?.description.contains("division by zero") == true)
    }

    @Test("the control plane makes pods of a Deployment, through its controllers")
    func deployment() async throws {
        try await withNamespace { namespace in
            let kubectl = try Kubectl(namespace: namespace)
            try await kubectl("create", "deployment", "web", "--image=web", "--replicas=2")
            try await eventually("two pods of the Deployment", within: .seconds(30)) {
                try await kubectl("get", "pods", "--output=name").split(separator: "\n").count
            } until: {
                $0 == 2
            }
        }
    }

    @Test("a reader may look, and may not delete; nobody may not look")
    func rights() async throws {
        try await withNamespace { namespace in
            let look = try await Kubectl(context: "reader", namespace: namespace).result(of: "get", "pods")
            #expect(look.status == 0)
            let delete = try await Kubectl(context: "reader").result(of: "delete", "namespace", namespace)
            #expect(delete.standardError.contains("forbidden"))
            let nobody = try await Kubectl(context: "nobody", namespace: namespace).result(of: "get", "pods")
            #expect(nobody.standardError.contains("forbidden"))
        }
    }

    @Test("the API server keeps custom resources that carry annotations")
    func customResource() async throws {
        let group = uniqueName("test") + ".sluice.dev"
        let kubectl = try Kubectl()
        try await kubectl("apply", "-f", "-", input: definition(group: group))
        try await kubectl("wait", "--for=condition=Established", "crd/things." + group)
        try await withNamespace { namespace in
            let kubectl = try Kubectl(namespace: namespace)
            let thing = """
                {"apiVersion": "\(group)/v1", "kind": "Thing",
                 "metadata": {"name": "one", "annotations": {"a": "b"}}, "size": 1}
                """
            try await eventually("the API server serves the new kind") {
                try await kubectl("apply", "-f", "-", input: thing)
                return true
            }
            try await kubectl("apply", "--server-side", "--field-manager=other", "-f", "-", input: thing)
            let annotation = try await kubectl(
                "get", "things.\(group)/one", "--output=jsonpath={.metadata.annotations.a}")
            #expect(annotation == "b")
        }
        try await kubectl("delete", "crd/things." + group, "--wait=false")
    }

    private func definition(group: String) -> String {
        """
        apiVersion: apiextensions.k8s.io/v1
        kind: CustomResourceDefinition
        metadata: {name: things.\(group)}
        spec:
          group: \(group)
          scope: Namespaced
          names: {kind: Thing, plural: things, singular: thing}
          versions:
          - name: v1
            served: true
            storage: true
            schema:
              openAPIV3Schema: {type: object, properties: {size: {type: integer}}}
        """
    }
}
