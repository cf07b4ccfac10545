/// The hosts that take no messages, each of which is told of once: when it begins, and when it is over.
///
/// Decides, and logs nothing.
struct FailingHosts {
    /// Whoever may create a promise names a host, so that there may be any number.
    static let most = 1024

    private var hosts: Set<PushHost> = []

    /// Whether to tell that messages to the host fail. Beyond ``most`` hosts nothing more is told.
    mutating func fails(_ host: PushHost) -> Bool {
        guard hosts.count < Self.most else { return false }
        return hosts.insert(host).inserted
    }

    /// Whether to tell that messages to the host arrive again.
    mutating func works(_ host: PushHost) -> Bool {
        hosts.remove(host) != nil
    }
}
