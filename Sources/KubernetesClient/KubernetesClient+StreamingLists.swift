internal import Synchronization

/// What is known of whether a server streams lists.
final class StreamingLists: Sendable {
    /// Nil: nobody has asked yet.
    private let isOffered = Mutex<Bool?>(nil)

    var known: Bool? { isOffered.withLock { $0 } }

    /// A refusal is for good.
    func learn(_ isOffered: Bool) {
        self.isOffered.withLock { if $0 != false { $0 = isOffered } }
    }
}

extension KubernetesClient {
    /// The first minor version that may stream lists; from 34 on all do, unless that was turned off.
    private static var firstToStream: Int { 32 }

    /// Whether to ask the server for lists as streams (``WatchOptions/sendsInitialEvents``): by its version, which is looked
    /// up once, and unless it refused once.
    public func streamsLists() async throws(KubernetesError) -> Bool {
        if let known = streamingLists.known { return known }
        streamingLists.learn(try await serverVersion().minorNumber >= Self.firstToStream)
        return streamingLists.known ?? false
    }

    /// The server was asked for a list as a stream and did not send one: it is not asked again.
    public func refusedToStreamList() {
        streamingLists.learn(false)
    }
}
