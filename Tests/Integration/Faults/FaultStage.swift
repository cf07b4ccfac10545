import Foundation
import KubernetesClient
import MigrationOperator
import TestSupport

/// A stage whose operator reaches its API server and its database through relays only, which see and stop what it does.
struct FaultStage: Sendable {
    let stage: Stage
    let log: EffectLog
    let api: APIRelay
    /// The port of the `kubectl proxy` to the API server.
    let proxy: Int
    /// The operator's own way in.
    let kubeconfig: String

    static let rollouts = "rollouts: [{apiVersion: apps/v1, kind: Deployment, name: api}]"

    /// Runs the operator beside the body, and kills it at the end, if it lives still.
    func withOperator<Value>(
        until death: EffectLog.Death? = nil, proofSeconds: Int = 60, _ options: [String] = [],
        _ body: (SluiceProcess) async throws -> Value
    ) async throws -> Value {
        // The next life takes over what the last one held, soon.
        let options = ["--lease-seconds", "2"] + options
        return try await stage.withOperator(proofSeconds: proofSeconds, options, kubeconfig: kubeconfig) { process in
            log.begin(process, until: death)
            return try await body(process)
        }
    }

    /// The Deployment with a template that requires a Migration, held as the webhook holds it: in the same write, and with no
    /// owner of what it set.
    func deployHeld(_ image: String, requires migration: String = "split") async throws {
        let fields: JSONValue = [
            "metadata": ["annotations": ["sluice.dev/held": .string("webhook: waits for \(migration)")]],
            "spec": [
                "paused": true,
                "template": [
                    "metadata": ["annotations": ["sluice.dev/requires": .string(migration)]],
                    "spec": ["containers": [["name": "api", "image": .string(image)]]],
                ],
            ],
        ]
        let key = ObjectKey("api", in: stage.namespace)
        let held = try await stage.client.patch(
            Deployment.resource, key, .merge(fields), fieldManager: "webhook")
        let owners = held.json[path: "metadata", "managedFields"]?.array ?? []
        let others = owners.filter { $0["manager"]?.string != "webhook" }
        try await stage.client.patch(
            Deployment.resource, key, .merge(["metadata": ["managedFields": .array(others)]]), fieldManager: "webhook")
    }

    func ask(_ name: String = "split", for phase: String) async throws {
        try await stage.kubectl(
            "patch", "migration", name, "--type=merge", "-p", #"{"spec":{"phase":"\#(phase)"}}"#)
    }

    /// Sends what is asked of caches, lists and watches, to another `kubectl proxy`, and everything else where it went.
    func readCaches(of other: Int) {
        let proxy = proxy
        api.reroute { $0.isWatch || $0.isList ? other : proxy }
    }

    func readCachesAsEver() {
        let proxy = proxy
        api.reroute { _ in proxy }
    }

    /// Whether the pods of an image are all that there are.
    func isRolledOut(_ image: String) async throws -> Bool {
        let deployment = try await stage.deployment()
        let status = deployment.status
        return deployment.spec.template.spec?["containers"]?.array?.first?["image"]?.string == image
            && deployment.spec.paused != true && status?.observedGeneration == deployment.metadata.generation
            && status?.updatedReplicas == 2 && status?.replicas == 2 && status?.availableReplicas == 2
    }

    /// Waits until for so long nothing was written: by nobody to an object, and by the operator to the database. Fails when
    /// it writes for ever.
    func comeToRest(_ quiet: Duration = .seconds(2)) async throws {
        var last = try await versions()
        var since = ContinuousClock.now
        try await eventually("it writes nothing any more", within: .seconds(30), every: .milliseconds(200)) {
            let now = try await versions()
            if now != last { (last, since) = (now, .now) }
            return .now - since >= quiet
        }
    }

    /// The version of each object, and what the operator has written so far.
    private func versions() async throws -> [String] {
        let migrations = try await stage.client.list(Migration.self, in: stage.namespace).items.map(\.metadata)
        let deployments = try await stage.client.list(Deployment.self, in: stage.namespace).items.map(\.metadata)
        return (migrations + deployments).map { "\($0.name) \($0.resourceVersion ?? "")" } + ["\(log.count)"]
    }
}

/// Gives the body a stage with relays in front of the shared servers.
func withFaultStage<Value>(_ body: (FaultStage) async throws -> Value) async throws -> Value {
    try await withStage { stage in
        try await withAPIProxy(stage.kubeconfig) { proxy in
            let log = EffectLog()
            guard var url = URLComponents(string: stage.database), let port = url.port else {
                throw TestFailure("the database's URL has no port")
            }
            let api = try APIRelay(log: log) { _ in proxy }
            let postgres = try PostgresRelay(log: log, to: port)
            defer {
                api.stop()
                postgres.stop()
            }
            url.port = postgres.port
            url.query = "sslmode=disable"
            let fields = #"{"stringData":{"url":"\#(url.string ?? "")"}}"#
            try await stage.kubectl("patch", "secret", "db", "--type=merge", "-p", fields)
            let kubeconfig = try FaultStage.kubeconfig(server: api.url)
            return try await body(
                FaultStage(stage: stage, log: log, api: api, proxy: proxy, kubeconfig: kubeconfig))
        }
    }
}

/// Runs a `kubectl proxy` beside the body: the API server over plain HTTP, for the operator's account.
func withAPIProxy<Value>(_ kubeconfig: String, _ body: (_ port: Int) async throws -> Value) async throws -> Value {
    let program = try RunningProgram(
        "kubectl", ["--kubeconfig=" + kubeconfig, "--context=" + OperatorAccount.context, "proxy", "--port=0"],
        folder: TestServers.folder + "/" + uniqueName("kubectl-proxy"))
    defer { program.send(SIGKILL) }
    let port = try await eventually("kubectl proxy listens", within: .seconds(20)) {
        program.standardOutput.firstMatch(of: /:([0-9]+)\n/).flatMap { Int($0.1) }
    }
    return try await body(port)
}

extension FaultStage {
    /// The path of a kubeconfig that leads to a server that asks for no credentials.
    static func kubeconfig(server: String) throws -> String {
        let path = try TestServers.folder + "/" + uniqueName("kubeconfig")
        let text = """
            apiVersion: v1
            kind: Config
            current-context: operator
            clusters: [{name: relay, cluster: {server: "\(server)"}}]
            users: [{name: relay, user: {}}]
            contexts: [{name: operator, context: {cluster: relay, user: relay, namespace: default}}]
            """
        try text.write(toFile: path, atomically: true, encoding: .utf8)
        return path
    }
}
