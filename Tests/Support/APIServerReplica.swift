import Foundation

/// A second API server on the shared control plane's etcd: ``withAPIServerReplica(_:)``.
public struct APIServerReplica: Sendable {
    /// Leads to this server, as `admin`.
    public let kubeconfig: String
    fileprivate let etcd: TestProxy

    /// Cuts it off from etcd, with its connections kept. Lists of the version 0 and watches are then answered from its
    /// caches, as they are; whatever else is asked of it waits. After half a minute it notices.
    public func fallBehind() { etcd.freeze() }

    public func catchUp() { etcd.thaw() }
}

/// Starts another API server for the body, and stops it afterwards. It takes about four seconds and 350 MB.
public func withAPIServerReplica<Value>(_ body: (APIServerReplica) async throws -> Value) async throws -> Value {
    let other = (try TestServers.kubeconfig as NSString).deletingLastPathComponent
    let port = try String(contentsOfFile: other + "/etcd.port", encoding: .utf8)
    guard let port = Int(port.trimmingCharacters(in: .whitespacesAndNewlines)) else {
        throw TestFailure("not a port: \(port)")
    }
    let etcd = try TestProxy(.none, to: port)
    defer { etcd.stop() }
    let folder = try TestServers.folder + "/" + uniqueName("replica")
    try await Script.run("control-plane", "start-replica", folder, other, String(etcd.port))
    return try await with {
        try await body(APIServerReplica(kubeconfig: folder + "/kubeconfig", etcd: etcd))
    } cleanUp: {
        etcd.thaw()
        try await Script.run("control-plane", "stop", folder)
    }
}
