internal import Foundation

extension ClusterConfiguration {
    /// Finds the configuration as other tools do: the file that is named, else the files of `KUBECONFIG`, else the
    /// service account of the pod this runs in, else `~/.kube/config`.
    ///
    /// - Parameters:
    ///   - kubeconfig: a file's path; it must exist.
    ///   - context: the context to use instead of the current one. It rules out the pod's service account.
    /// - Throws: ``KubernetesError`` with the code `configuration`.
    public static func load(
        kubeconfig: String? = nil, context: String? = nil, environment: [String: String]
    ) throws(KubernetesError) -> ClusterConfiguration {
        let paths: [String]
        let mustExist: Bool
        if let kubeconfig {
            (paths, mustExist) = ([kubeconfig], true)
        } else if let list = environment["KUBECONFIG"], !list.isEmpty {
            (paths, mustExist) = (list.split(separator: ":").map(String.init), false)
        } else if context == nil, InCluster.isOffered(by: environment) {
            return try InCluster.configuration(environment: environment)
        } else {
            let home = environment["HOME"] ?? NSHomeDirectory()
            (paths, mustExist) = (["\(home)/.kube/config"], false)
        }
        var files: [Kubeconfig.File] = []
        for path in paths where mustExist || FileManager.default.fileExists(atPath: path) {
            let text = String(decoding: try readFile(path), as: UTF8.self)
            files.append(Kubeconfig.File(path: absolute(path), text: text))
        }
        guard !files.isEmpty else {
            throw KubernetesError(
                .configuration,
                "no kubeconfig found at \(paths.joined(separator: ", ")): name one with --kubeconfig or KUBECONFIG")
        }
        return try Kubeconfig(merging: files).configuration(context: context, reading: readFile)
    }

    static func readFile(_ path: String) throws(KubernetesError) -> [UInt8] {
        do {
            return Array(try Data(contentsOf: URL(fileURLWithPath: path)))
        } catch {
            throw KubernetesError(.configuration, "cannot read \(path): does it exist, and may this user read it?")
        }
    }

    private static func absolute(_ path: String) -> String {
        URL(fileURLWithPath: path).standardizedFileURL.path
    }
}
