/// Gives the body a fresh namespace on the shared control plane, and begins to delete it afterwards.
///
/// A namespace goes only when its objects' finalizers are gone, so the end is not waited for.
public func withNamespace<Value>(_ body: (_ name: String) async throws -> Value) async throws -> Value {
    try await withNamespace(kubeconfig: TestServers.kubeconfig, body)
}

/// The same on a control plane of one's own, such as ``PrivateControlPlane``.
public func withNamespace<Value>(
    kubeconfig: String, _ body: (_ name: String) async throws -> Value
) async throws -> Value {
    let kubectl = Kubectl(kubeconfig: kubeconfig)
    let name = uniqueName("test")
    try await kubectl("create", "namespace", name)
    return try await with {
        try await body(name)
    } cleanUp: {
        try await kubectl("delete", "namespace", name, "--wait=false", "--ignore-not-found")
    }
}
