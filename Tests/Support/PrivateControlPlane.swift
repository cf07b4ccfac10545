/// A control plane of a test's own, whose API server it may stop: ``withPrivateControlPlane(apiServerFlags:_:)``.
public struct PrivateControlPlane: Sendable {
    /// The folder that holds its data and the logs of its processes.
    public let folder: String
    /// The path of its kubeconfig, which stays the same over a restart: contexts `admin` (current), `reader`, `nobody`.
    public var kubeconfig: String { folder + "/kubeconfig" }
    /// kubectl on it, as `admin`.
    public var kubectl: Kubectl { Kubectl(kubeconfig: kubeconfig) }

    /// Stops the API server; etcd keeps the data. Open watches break.
    public func stopAPIServer() async throws {
        try await Script.run("control-plane", "stop-apiserver", folder)
    }

    /// Starts the API server on the port that it had, with its data and certificate. Returns when it is ready.
    public func startAPIServer() async throws {
        try await Script.run("control-plane", "start-apiserver", folder)
    }

    /// Makes etcd forget all revisions before the current one.
    ///
    /// A paged list that was begun before then gets a 410. A watch gets one from an API server that was started again
    /// since, or runs with `--watch-cache=false`; another still has the events in its cache.
    public func compact() async throws {
        try await Script.run("control-plane", "compact", folder)
    }
}

/// Two at once: enough for a test that compares, and little enough memory.
private let places = Places(2)

/// Starts a control plane for the body alone, and stops it afterwards. It takes about five seconds and 450 MB, so it
/// waits while two others run: put what belongs to one server into one test.
///
/// - Parameter apiServerFlags: further flags of kube-apiserver, as in `["--watch-cache=false"]`.
public func withPrivateControlPlane<Value>(
    apiServerFlags: [String] = [], _ body: (PrivateControlPlane) async throws -> Value
) async throws -> Value {
    try await places.with {
        let folder = try TestServers.folder + "/" + uniqueName("control-plane")
        try await Program.output(
            TestServers.scripts + "/control-plane", ["start", folder] + apiServerFlags, within: .seconds(120))
        return try await with {
            try await body(PrivateControlPlane(folder: folder))
        } cleanUp: {
            try await Script.run("control-plane", "stop", folder)
        }
    }
}
