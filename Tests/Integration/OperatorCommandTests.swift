import Foundation
import KubernetesClient
import MigrationOperator
import TestSupport
import Testing

@Suite("sluice operator, as a process")
struct OperatorCommandTests {
    @Test("logs as JSON name the migration on each line about one, and what is served is said")
    func logs() async throws {
        try await withStage { stage in
            try await stage.makeCustomers(100)
            let options = [
                "--log-format", "json", "--health-probe-bind-address", "127.0.0.1:0", "--metrics-bind-address",
                "127.0.0.1:0",
            ]
            try await stage.withOperator(options) { process in
                try await stage.apply(stage.splitManifest())
                try await stage.waitFor(.verified)
                let lines = try process.standardError.split(separator: "\n").dropLast().map {
                    try JSONValue(parsing: String($0))
                }
                #expect(
                    lines.allSatisfy {
                        $0["time"]?.string?.wholeMatch(of: /\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z/) != nil
                            && $0["level"]?.string != nil
                    })
                let messages = lines.compactMap { $0["message"]?.string }
                #expect(messages.contains { $0.hasPrefix("serving health probes at http://127.0.0.1:") })
                #expect(messages.contains { $0.hasPrefix("serving metrics at http://127.0.0.1:") })
                // All but those of the process itself.
                let about = lines.filter { line in
                    ["a worker started", "step", "phase complete", "verified"].contains(line["message"]?.string)
                }
                #expect(about.count > 4)
                #expect(about.allSatisfy { $0["migration"]?.string == "\(stage.namespace)/split" }, "\(about)")
            }
        }
    }

    @Test(
        "what cannot be served is refused with what to write instead",
        arguments: [
            ["--metrics-bind-address", "nonsense"],
            ["--webhook-bind-address", ":1", "--webhook-url", "http://hook.example"],
            ["--webhook-failure-policy", "Perhaps"], ["--log-format", "xml"],
        ])
    func refuses(_ options: [String]) async throws {
        let kubeconfig = try TestServers.kubeconfig
        let output = try await Program.run(
            TestServers.sluice, ["operator", "--kubeconfig", kubeconfig] + options, within: .seconds(20))
        #expect(output.status == 64, "\(output.standardError)")
    }
}
