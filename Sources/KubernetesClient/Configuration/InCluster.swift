/// The configuration that a pod finds in itself: the service's address, and its service account.
/// <https://kubernetes.io/docs/tasks/run-application/access-api-from-pod/>
enum InCluster {
    static let serviceAccount = "/var/run/secrets/kubernetes.io/serviceaccount"

    static func isOffered(by environment: [String: String]) -> Bool {
        environment["KUBERNETES_SERVICE_HOST"]?.isEmpty == false
            && environment["KUBERNETES_SERVICE_PORT"]?.isEmpty == false
    }

    /// - Parameter folder: where the service account's files are; another one than the usual in tests.
    static func configuration(
        environment: [String: String], folder: String = serviceAccount
    ) throws(KubernetesError) -> ClusterConfiguration {
        guard let host = environment["KUBERNETES_SERVICE_HOST"], let port = environment["KUBERNETES_SERVICE_PORT"],
            !host.isEmpty, !port.isEmpty
        else {
            throw KubernetesError(
                .configuration, "not in a cluster: KUBERNETES_SERVICE_HOST and KUBERNETES_SERVICE_PORT are not both set"
            )
        }
        let address = host.contains(":") ? "[\(host)]" : host
        var configuration = ClusterConfiguration(server: "https://\(address):\(port)")
        // Read now, so that a pod without them says so at once.
        for name in ["ca.crt", "token"] { _ = try ClusterConfiguration.readFile("\(folder)/\(name)") }
        configuration.certificateAuthority = .file("\(folder)/ca.crt")
        configuration.credential = .tokenFile("\(folder)/token")
        if let bytes = try? ClusterConfiguration.readFile("\(folder)/namespace") {
            let namespace = String(decoding: bytes, as: UTF8.self).trimmed
            if !namespace.isEmpty { configuration.namespace = namespace }
        }
        return configuration
    }
}

extension String {
    var trimmed: String {
        let isSpace = { (character: Character) in character.isWhitespace || character.isNewline }
        let start = self.drop(while: isSpace)
        return String(start.reversed().drop(while: isSpace).reversed())
    }
}
