import Foundation

/// How many files and connections this process may have open.
enum FileDescriptors {
    /// As many as the administrator allows: what a shell allows at first is too little for a server.
    static func allowMany() {
        var limits = rlimit()
        let resource = __rlimit_resource_t(RLIMIT_NOFILE.rawValue)
        guard getrlimit(resource, &limits) == 0 else { return }
        limits.rlim_cur = limits.rlim_max
        setrlimit(resource, &limits)
    }
}
