import Foundation
import KubernetesClient
import MigrationEngine
import SchemaChange
import TestSupport
import Testing
import YAML

@testable import MigrationOperator

/// A Migration with a status that `reconcile` wrote, and what Argo CD and Flux are to make of it.
private struct Standing {
    enum Health: String {
        case healthy = "Healthy"
        case progressing = "Progressing"
        case degraded = "Degraded"
        case suspended = "Suspended"
    }

    let name: String
    var object: JSONValue
    let health: Health

    init(_ name: String, _ migration: Migration, _ observed: Observed?, _ health: Health) throws {
        self.name = name
        self.health = health
        object = try JSONValue(encoding: migration)
        if let observed {
            let status = try #require(reconcile(migration, observed).status, "\(name) writes no status")
            object["status"] = try JSONValue(encoding: status)
        }
    }

    static func all() throws -> [Standing] {
        let fresh = migration(status: MigrationStatus(observedGeneration: -1))
        let halfWay = BackfillProgress(rowsDone: 41, rowsTotal: 100)
        var stale = try Standing(
            "verified for an older spec", migration(), observed(worker(report(.backfill), endedAgo: 1)), .progressing)
        stale.object["metadata"]?["generation"] = 2
        var unlisted = try Standing("with no conditions", migration(), nil, .progressing)
        unlisted.object["status"] = ["observedGeneration": 1]
        return [
            try Standing("no status", migration(), nil, .progressing),
            try Standing("not seen yet", fresh, nil, .progressing),
            unlisted,
            stale,
            try Standing(
                "expanding", fresh,
                observed(
                    worker(report(.initial, .working(reason: "Expanding", message: "is at it"), step: "Expanding"))),
                .progressing),
            try Standing(
                "filling", fresh,
                observed(
                    worker(
                        report(
                            .dualWrite, .working(reason: "Backfilling", message: "is at it"), step: "Backfilling",
                            progress: halfWay))), .progressing),
            try Standing("verified", fresh, observed(worker(report(.backfill), endedAgo: 1)), .healthy),
            try Standing(
                "verified, and waits before Contract", migration(#""phase": "Contract""#),
                observed(worker(report(.backfill, .waiting(reason: "Soaking", message: "for 1 h")), to: .contract)),
                .healthy),
            try Standing(
                "an earlier phase was asked for", migration(#""phase": "Expand""#),
                observed(worker(report(.expand), to: .expand, endedAgo: 1)), .healthy),
            try Standing(
                "a row fails", fresh,
                observed(worker(report(.dualWrite, .stalled(reason: "RowFailed", message: "id=7")), endedAgo: 1)),
                .degraded),
            try Standing(
                "a lock is waited for", fresh,
                observed(worker(report(.initial, .waiting(reason: "WaitingForLock", message: "pid 7")))),
                .progressing),
            try Standing(
                "goes back, and a workload needs it", migration(#""phase": "Initial""#),
                observed(
                    worker(
                        report(.backfill, .waiting(reason: "WaitingForDependents", message: "Deployment api")),
                        to: .initial)),
                .healthy),
            try Standing(
                "waits for the release that writes both sides", migration(#""dualWrite": {"by": "Application"}"#),
                observed(
                    worker(report(.dualWrite, .waiting(reason: "WaitingForDualWrite", message: "resolve the promise")))),
                .healthy),
            try Standing("suspended", migration(#""suspend": true"#), observed(), .suspended),
            try Standing(
                "a bad spec", migration(changes: #"[{"sql": {"tables": ["t"]}}]"#), observed(), .degraded),
        ]
    }
}

@Suite("The health checks of the examples")
struct HealthCheckTests {
    @Test("health.lua tells Argo CD what a Migration's real status says")
    func argoCD() async throws {
        let script = try TestServers.scripts + "/../examples/argo-cd/health.lua"
        for standing in try Standing.all() {
            // Argo CD gives the script the object, and the standard library of Lua 5.1.
            let program = """
                local check = assert(loadfile("\(script)", "t", {obj = \(standing.object.lua), ipairs = ipairs, pairs = pairs,
                    string = string, table = table, math = math, tostring = tostring}))
                local health = check()
                print(health.status)
                print(health.message)
                """
            let output = try await Program.output("lua5.4", ["-"], input: program)
            let lines = output.split(separator: "\n")
            #expect(lines.first.map(String.init) == standing.health.rawValue, "\(standing.name): \(output)")
            #expect(lines.count > 1 && lines[1] != "nil", "\(standing.name)")
        }
    }

    @Test("the expressions tell Flux the same")
    func flux() async throws {
        let folder = try TestServers.scripts + "/.."
        let text = try String(contentsOfFile: folder + "/examples/flux/migrations.yaml", encoding: .utf8)
        let kustomization = JSONValue(try #require(try YAML.documents(in: text).first))
        let check = try #require(kustomization[path: "spec", "healthCheckExprs"]?.array?.first)
        var expressions: JSONValue = [:]
        for name in ["inProgress", "failed", "current"] { expressions[name] = check[name] }
        let standings = try Standing.all()
        let questions: JSONValue = ["expressions": expressions, "objects": .array(standings.map(\.object))]
        let output = try await Program.output(
            folder + "/scripts/manifests", ["expressions"], input: questions.text, within: .seconds(300))
        for (standing, answer) in zip(standings, try JSONValue(parsing: output).array ?? []) {
            // In the order in which Flux asks; a generation that was not seen it finds out by itself.
            let health: Standing.Health =
                answer["inProgress"] == true || answer["inProgress"] == .null
                ? .progressing
                : answer["failed"] == true ? .degraded : answer["current"] == true ? .healthy : .progressing
            #expect(
                health == (standing.health == .suspended ? .progressing : standing.health),
                "\(standing.name): \(answer)")
            #expect(standing.object["status"] == nil || answer["inProgress"] != .null, "\(standing.name)")
        }
    }
}

extension JSONValue {
    /// The same as a constructor of Lua.
    fileprivate var lua: String {
        switch self {
        case .null: "nil"
        case .array(let values): "{" + values.map(\.lua).joined(separator: ", ") + "}"
        case .object(let members):
            "{" + members.map { "[\(JSONValue.string($0).lua)] = \($1.lua)" }.joined(separator: ", ") + "}"
        // Lua has no \\u1234 and no \\/; its strings take bytes as they are.
        case .string(let text):
            "\"" + text.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"").replacing("\n", with: "\\n") + "\""
        default: text
        }
    }
}
