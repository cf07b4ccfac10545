import Foundation
import KubernetesClient
import MigrationOperator
import Synchronization
import TestSupport

/// Looks at every change of a gated Deployment, over a watch of its own, and asks the database whether what it says is so:
/// nothing is let go, and no proof stamped, but after the promise of that plan's verification was resolved.
final class GateMonitor: Sendable {
    private let found = Mutex<[String]>([])
    private let looks = Mutex(0)

    /// What was wrong.
    var violations: [String] { found.withLock { $0 } }
    /// How many states were asked about, so that a monitor that sees nothing is told from one that finds nothing.
    var count: Int { looks.withLock { $0 } }

    /// Runs the body while it looks.
    func watching<Value: Sendable>(
        _ stage: Stage, _ body: @escaping @Sendable () async throws -> Value
    ) async throws -> Value {
        let version = try await stage.client.list(Deployment.self, in: stage.namespace).resourceVersion
        return try await withThrowingTaskGroup(of: Value?.self) { group in
            group.addTask {
                let options = WatchOptions(resourceVersion: version, timeout: .seconds(3600))
                for try await event in try await stage.client.watch(Deployment.self, in: stage.namespace, options) {
                    switch event {
                    case .added(let deployment), .modified(let deployment): try await self.look(at: deployment, stage)
                    case .deleted, .bookmark: break
                    }
                }
                return nil
            }
            group.addTask { try await body() }
            defer { group.cancelAll() }
            guard let value = try await group.next() ?? nil else { throw TestFailure("the monitor's watch ended") }
            return value
        }
    }

    private func look(at deployment: Deployment, _ stage: Stage) async throws {
        let annotations = deployment.metadata.annotations
        let requires = deployment.spec.template.annotations["sluice.dev/requires"]
        var claims: [String] = []
        if annotations["sluice.dev/gate"] == "open" || annotations["sluice.dev/verified"] != nil {
            claims.append("it is stamped open")
        }
        if requires != nil, deployment.spec.paused != true { claims.append("it is let go") }
        guard !claims.isEmpty else { return }
        looks.withLock { $0 += 1 }
        // Stamped before it is let go, so the plan is on it.
        let stamp = annotations["sluice.dev/verified"] ?? ""
        let plan = stamp.firstMatch(of: /@(sha256:[0-9a-f]+)/).map { String($0.1) } ?? "none"
        let proofs = try await stage.psql(
            """
            SELECT count(*) FROM sluice.migration m, sluice.promise p WHERE m.id = '\(stage.namespace)/\(requires ?? "")'
                AND p.id LIKE 'migration/' || m.id || '/%/verify' AND p.state = 'resolved'
                AND m.plan_hash = '\(plan)' AND m.certificate LIKE '%\(plan)%'
            """)
        guard proofs == "0" || proofs == "" else { return }
        let when = deployment.metadata.resourceVersion ?? ""
        found.withLock {
            $0.append("\(claims.joined(separator: ", ")) for \(plan), at \(when), without a settled promise")
        }
    }
}
