public import KubernetesClient
public import Logging

/// Keeps a store equal to what the API server has: performs what ``ReflectorState`` says.
public final class Reflector<Object: KubernetesMetadata>: Sendable {
    public let store: Store<Object>

    private let client: KubernetesClient
    private let resource: ResourceDescriptor
    private let namespace: String?
    private let labelSelector: String?
    private let logger: Logger
    private let synced = Latch()

    /// - Parameters:
    ///   - store: may be shared by reflectors of several namespaces.
    ///   - namespace: nil for all.
    public init(
        _ type: Object.Type, _ resource: ResourceDescriptor, in namespace: String? = nil,
        labelSelector: String? = nil, store: Store<Object> = Store(), client: KubernetesClient, logger: Logger
    ) {
        self.client = client
        self.resource = resource
        self.namespace = namespace
        self.labelSelector = labelSelector
        self.store = store
        self.logger = logger
    }

    public convenience init(
        _ type: Object.Type, in namespace: String? = nil, labelSelector: String? = nil,
        store: Store<Object> = Store(), client: KubernetesClient, logger: Logger
    ) where Object: KubernetesObject {
        self.init(
            type, Object.resource, in: namespace, labelSelector: labelSelector, store: store, client: client,
            logger: logger)
    }

    /// Whether the first list is in the store.
    public var isSynced: Bool { synced.isOpen }

    /// Waits until the first list is in the store.
    ///
    /// - Throws: `CancellationError`.
    public func waitUntilSynced() async throws {
        try await synced.wait()
    }

    /// Lists and watches until its task is cancelled. Run it once.
    @concurrent
    public func run() async {
        var state = ReflectorState()
        var action = state.start()
        while !Task.isCancelled {
            let event: ReflectorState.Event
            switch action {
            case .discover: event = await discover()
            case .list(let version):
                event = await list(version)
                FreedMemory.giveBack()
            case .stream(let version, let timeout): event = await stream(version, timeout, &state)
            case .watch(let version, let timeout): event = await watch(version, timeout, &state)
            case .wait(let duration):
                try? await Task.sleep(for: duration)
                event = .waited
            }
            action = state.handle(event, at: .now)
        }
    }

    private func list(_ version: String?) async -> ReflectorState.Event {
        do {
            let list = try await client.list(
                Object.self, resource, in: namespace,
                ListOptions(labelSelector: labelSelector, resourceVersion: version))
            store.replace(with: list.items, in: namespace)
            synced.open()
            return .listed(resourceVersion: list.resourceVersion)
        } catch {
            note("list", error)
            return .listFailed(.init(error))
        }
    }

    private func discover() async -> ReflectorState.Event {
        do {
            return .discovered(streams: try await client.streamsLists())
        } catch {
            note("discovery", error)
            return .discoveryFailed(.init(error))
        }
    }

    private func watch(
        _ version: String, _ timeout: Duration, _ state: inout ReflectorState
    ) async -> ReflectorState.Event {
        let start = ContinuousClock.now
        var events = 0
        do {
            let stream = try await client.watch(
                Object.self, resource, in: namespace,
                WatchOptions(resourceVersion: version, timeout: timeout, labelSelector: labelSelector))
            for try await event in stream {
                events += 1
                follow(event, &state)
            }
            return .watchEnded(lasted: .now - start, events: events)
        } catch {
            note("watch", error)
            // A connection that broke after it had served is the end of a watch like any other, but for the backoff.
            return .watchFailed(.init(error))
        }
    }

    /// A list, and the watch that it becomes.
    private func stream(
        _ version: String?, _ timeout: Duration, _ state: inout ReflectorState
    ) async -> ReflectorState.Event {
        // Another reflector may have learnt it meanwhile.
        guard (try? await client.streamsLists()) == true else { return .notStreamed }
        let start = ContinuousClock.now
        var events = 0
        var arriving: ArrivingList<Object>? = ArrivingList()
        var hasBegun = false
        do {
            let stream = try await client.watch(
                Object.self, resource, in: namespace,
                WatchOptions(
                    resourceVersion: version, timeout: timeout, labelSelector: labelSelector, sendsInitialEvents: true))
            hasBegun = true
            for try await event in stream {
                events += 1
                switch arriving?.take(event) {
                case nil:
                    follow(event, &state)
                case .more:
                    break
                case .notStreamed:
                    client.refusedToStreamList()
                    return .notStreamed
                case .whole(let objects, let version):
                    arriving = nil
                    store.replace(with: objects, in: namespace)
                    state.streamed(resourceVersion: version)
                    synced.open()
                    FreedMemory.giveBack()
                }
            }
            return .watchEnded(lasted: .now - start, events: events)
        } catch {
            note("streaming list", error)
            if arriving != nil, ReflectorState.isRefusalToStream(error, hasBegun: hasBegun) {
                client.refusedToStreamList()
                return .notStreamed
            }
            return .watchFailed(.init(error))
        }
    }

    private func follow(_ event: WatchEvent<Object>, _ state: inout ReflectorState) {
        switch event {
        case .added(let object), .modified(let object): store.put(object)
        case .deleted(let object): store.remove(object)
        case .bookmark: break
        }
        if let version = event.resourceVersion { state.saw(resourceVersion: version) }
    }

    private func note(_ what: String, _ error: KubernetesError) {
        guard error.code != .cancelled else { return }
        // What is not allowed, or cannot be read, does not pass by itself.
        let level: Logger.Level = [.forbidden, .unauthorized, .decoding].contains(error.code) ? .warning : .info
        logger.log(
            level: level, "\(what) of \(resource.plural) failed, will be repeated", metadata: ["error": "\(error)"])
    }
}
