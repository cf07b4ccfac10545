/// From where on to watch, and for how long.
public struct WatchOptions: Sendable {
    public var labelSelector: String?
    public var fieldSelector: String?
    /// Events after this version are told. Nil or `0`: what there is comes first, as if it were added.
    public var resourceVersion: String?
    /// After how long the server ends the watch. It counts as broken when it was silent for 5 s more than that.
    public var timeout: Duration
    /// Has what there is come first, and a bookmark that ends it: a list as a stream. What comes is as fresh as can be, or
    /// at least as fresh as the version. Not every server does it: ``KubernetesClient/streamsLists()``.
    /// <https://kubernetes.io/docs/reference/using-api/api-concepts/#streaming-lists>
    public var sendsInitialEvents: Bool
    /// For how long a server may be silent before that bookmark. One that does not know of it would never send it.
    var initialSilence: Duration = .seconds(30)

    public init(
        resourceVersion: String?, timeout: Duration = .seconds(300), labelSelector: String? = nil,
        fieldSelector: String? = nil, sendsInitialEvents: Bool = false
    ) {
        self.sendsInitialEvents = sendsInitialEvents
        self.resourceVersion = resourceVersion
        self.timeout = timeout
        self.labelSelector = labelSelector
        self.fieldSelector = fieldSelector
    }

    var query: [(name: String, value: String)] {
        let seconds = max(1, timeout.components.seconds)
        var query = [
            ("watch", "true"), ("allowWatchBookmarks", "true"), ("timeoutSeconds", String(seconds)),
        ]
        if let labelSelector { query.append(("labelSelector", labelSelector)) }
        if let fieldSelector { query.append(("fieldSelector", fieldSelector)) }
        if let resourceVersion { query.append(("resourceVersion", resourceVersion)) }
        if sendsInitialEvents { query += [("sendInitialEvents", "true"), ("resourceVersionMatch", "NotOlderThan")] }
        return query
    }
}

extension KubernetesClient {
    /// Opens a watch. Returns once the server has accepted it.
    ///
    /// - Parameter namespace: nil for all.
    /// - Throws: ``KubernetesError``; `expired` where the version is too old.
    public func watch<Object: KubernetesObject>(
        _ type: Object.Type, in namespace: String? = nil, _ options: WatchOptions
    ) async throws(KubernetesError) -> WatchStream<Object> {
        try await watch(type, Object.resource, in: namespace, options)
    }

    public func watch<Object: KubernetesMetadata>(
        _ type: Object.Type, _ resource: ResourceDescriptor, in namespace: String? = nil, _ options: WatchOptions
    ) async throws(KubernetesError) -> WatchStream<Object> {
        let call = Call(
            method: "GET", path: resource.collection(in: namespace), query: options.query, isIdempotent: true)
        let idle = options.timeout + .seconds(5)
        let stream = try await open(call, idle: options.sendsInitialEvents ? options.initialSilence : idle)
        return WatchStream(stream: stream, name: "watch \(call.path)", idle: idle)
    }
}
