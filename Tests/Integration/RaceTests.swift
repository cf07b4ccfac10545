import Foundation
import KubernetesClient
import MigrationOperator
import TestSupport
import Testing

@Suite("Migration and Deployment, applied together")
struct RaceTests {
    /// Half of them Deployments that are there already, half new ones; half with the Migration first in the file.
    private static let rounds = 100
    /// Of which the comparison without the webhook makes fewer: it proves nothing.
    private static let comparisonRounds = TestServers.isSoak ? 100 : 20

    @Test("no rollout wins the race against its migration while the webhook is on")
    func raceWithWebhook() async throws {
        try await withStage { stage in
            try await Race(stage: stage, rounds: Self.rounds).prepare()
            try await stage.withGuardedOperator { _ in
                let lost = try await Race(stage: stage, rounds: Self.rounds).run()
                #expect(lost == [], "pods of these began before their gate was open")
                print("\(Self.rounds - lost.count) of \(Self.rounds) held")
            }
        }
    }

    @Test("without the webhook some rollouts may win the race; all the same each Migration is verified")
    func raceWithoutWebhook() async throws {
        try await withStage { stage in
            let rounds = Self.comparisonRounds
            try await Race(stage: stage, rounds: rounds).prepare()
            try await stage.withOperator { _ in
                let lost = try await Race(stage: stage, rounds: rounds).run()
                print("without the webhook: \(lost.count) of \(rounds) began before their gate was open")
            }
        }
    }
}

/// Applies files that hold a Migration and a Deployment that requires it, and looks which of the two was first.
private struct Race: Sendable {
    let stage: Stage
    let rounds: Int

    private func isUpdate(_ round: Int) -> Bool { round % 2 == 0 }
    private func isMigrationFirst(_ round: Int) -> Bool { round / 2 % 2 == 0 }
    private func image(_ round: Int) -> String { "api-\(round):2" }

    /// A table for each round, and the Deployments that are there before.
    func prepare() async throws {
        let tables = (0..<rounds).map {
            "CREATE TABLE t\($0) (id bigint PRIMARY KEY, a text); INSERT INTO t\($0) SELECT n, n FROM generate_series(1, 10) n;"
        }
        try await stage.psql(tables.joined(separator: "\n"))
        let before = (0..<rounds).filter(isUpdate)
        try await stage.apply(Self.file(of: before.map { stage.manifest("api-\($0)", "api-\($0):1") }))
        try await eventually("the first versions are there", within: .seconds(60)) {
            try await stage.images().count == before.count
        }
    }

    /// The rounds in which pods of the new template could begin before the gate was open.
    func run() async throws -> [Int] {
        let history = GateHistory()
        return try await history.following(stage) {
            for round in 0..<rounds { try await stage.apply(file(round)) }
            // Each is let go in the end.
            try await eventually("each has rolled out", within: .seconds(300), every: .milliseconds(500)) {
                (0..<rounds).filter { history.begun(image($0)) == nil || history.opened("m\($0)") == nil }
            } until: {
                $0.isEmpty
            }
            try await eventually("nothing stays paused", within: .seconds(60), every: .milliseconds(500)) {
                try await stage.client.list(Deployment.self, in: stage.namespace).items
                    .filter { $0.spec.paused == true || $0.mark != nil }.map(\.metadata.name)
            } until: {
                $0.isEmpty
            }
            return (0..<rounds).filter { round in
                guard let begun = history.begun(image(round)), let opened = history.opened("m\(round)") else {
                    return true
                }
                return begun < opened
            }
        }
    }

    private func file(_ round: Int) -> String {
        let migration = """
            apiVersion: sluice.dev/v1alpha1
            kind: Migration
            metadata: {name: m\(round)}
            spec:
              database: {urlFrom: {secretKeyRef: {name: db, key: url}}}
              changes:
              - addColumn: {table: t\(round), column: {name: b, type: text}, forward: "upper(a)"}
            """
        let deployment = stage.manifest("api-\(round)", image(round), requires: "m\(round)")
        return Self.file(of: isMigrationFirst(round) ? [migration, deployment] : [deployment, migration])
    }

    /// kubectl takes a file for YAML that does not begin as JSON does.
    private static func file(of manifests: [String]) -> String {
        manifests.map { "---\n\($0)\n" }.joined()
    }
}
