public import KubernetesClient
internal import Synchronization

/// What became of an object in a store.
public enum Change<Object: KubernetesMetadata>: Sendable {
    case added(Object)
    case updated(from: Object, to: Object)
    case deleted(Object)

    /// The object as it is, or was last.
    public var object: Object {
        switch self {
        case .added(let object), .updated(_, let object), .deleted(let object): object
        }
    }

    public var key: ObjectKey { object.key }
}

/// The objects of a resource as they were last seen. Reflectors write it, everyone reads it.
///
/// What it says may be old. Nothing that cannot be undone is done on its word.
public final class Store<Object: KubernetesMetadata>: Sendable {
    public typealias Handler = @Sendable (Change<Object>) -> Void

    /// A dictionary has more places than entries, and a place for an object may be a kilobyte.
    private final class Entry: Sendable {
        let object: Object

        init(_ object: Object) { self.object = object }
    }

    private struct State {
        var entries: [ObjectKey: Entry] = [:]
        var handlers: [Handler] = []
    }

    private let state = Mutex(State())

    public init() {}

    public subscript(key: ObjectKey) -> Object? {
        state.withLock { $0.entries[key] }?.object
    }

    /// All objects, or those of a namespace, in no order.
    public func objects(in namespace: String? = nil) -> [Object] {
        let entries = state.withLock { $0.entries }
        guard let namespace else { return entries.values.map(\.object) }
        return entries.compactMap { $0.key.namespace == namespace ? $0.value.object : nil }
    }

    public var count: Int { state.withLock { $0.entries.count } }

    /// Calls `handler` for each object that is there, and for each change from now on. It must return soon.
    ///
    /// One change may be told twice while this is called; an older one never follows a newer one of the same reflector.
    public func observe(_ handler: @escaping Handler) {
        let present = state.withLock { state in
            state.handlers.append(handler)
            return state.entries.values.map(\.object)
        }
        for object in present { handler(.added(object)) }
    }

    /// Lets go of all handlers, and of what they hold: for who observed with something that holds the store itself.
    public func stopTelling() {
        // Outside the lock: what ends with a handler may look at the store.
        let handlers = state.withLock { state in
            defer { state.handlers = [] }
            return state.handlers
        }
        _ = handlers
    }

    // MARK: For reflectors

    /// Adds an object, or puts it in the place of the one with its key.
    public func put(_ object: Object) {
        tell { put(object, &$0).map { [$0] } ?? [] }
    }

    /// Removes an object; `object` is its last state.
    public func remove(_ object: Object) {
        tell { $0.entries.removeValue(forKey: object.key) == nil ? [] : [.deleted(object)] }
    }

    /// Puts a list in the place of all objects, or of those in `namespace`, at once. What is not in it is told as deleted.
    public func replace(with list: [Object], in namespace: String? = nil) {
        tell { state in
            var changes: [Change<Object>] = []
            let listed = Set(list.map(\.key))
            for (key, entry) in state.entries
            where !listed.contains(key) && (namespace == nil || key.namespace == namespace) {
                state.entries[key] = nil
                changes.append(.deleted(entry.object))
            }
            for object in list {
                if let change = put(object, &state) { changes.append(change) }
            }
            return changes
        }
    }

    private func tell(_ body: (inout State) -> [Change<Object>]) {
        let (changes, handlers) = state.withLock { state in (body(&state), state.handlers) }
        for change in changes {
            for handler in handlers { handler(change) }
        }
    }

    /// What changed; nil where the object is the version that was there.
    private func put(_ object: Object, _ state: inout State) -> Change<Object>? {
        guard let old = state.entries.updateValue(Entry(object), forKey: object.key)?.object else {
            return .added(object)
        }
        // Deleted and made anew while nobody looked: another object under the same name.
        let isSame =
            old.metadata.uid == object.metadata.uid
            && old.metadata.resourceVersion == object.metadata.resourceVersion
            && object.metadata.resourceVersion != nil
        return isSame ? nil : .updated(from: old, to: object)
    }
}
