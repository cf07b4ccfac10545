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

    private struct State {
        var objects: [ObjectKey: Object] = [:]
        var handlers: [Handler] = []
    }

    private let state = Mutex(State())

    public init() {}

    public subscript(key: ObjectKey) -> Object? {
        state.withLock { $0.objects[key] }
    }

    /// All objects, or those of a namespace, in no order.
    public func objects(in namespace: String? = nil) -> [Object] {
        let objects = state.withLock { $0.objects }
        guard let namespace else { return Array(objects.values) }
        return objects.values.filter { $0.metadata.namespace == namespace }
    }

    public var count: Int { state.withLock { $0.objects.count } }

    /// Calls `handler` for each object that is there, and for each change from now on. It must return soon.
    ///
    /// One change may be told twice while this is called; an older one never follows a newer one of the same reflector.
    public func observe(_ handler: @escaping Handler) {
        let present = state.withLock { state in
            state.handlers.append(handler)
            return Array(state.objects.values)
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
        tell { $0.objects.put(object).map { [$0] } ?? [] }
    }

    /// Removes an object; `object` is its last state.
    public func remove(_ object: Object) {
        tell { $0.objects.removeValue(forKey: object.key) == nil ? [] : [.deleted(object)] }
    }

    /// Puts a list in the place of all objects, or of those in `namespace`, at once. What is not in it is told as deleted.
    public func replace(with list: [Object], in namespace: String? = nil) {
        tell { state in
            var changes: [Change<Object>] = []
            let listed = Set(list.map(\.key))
            for (key, object) in state.objects
            where !listed.contains(key) && (namespace == nil || key.namespace == namespace) {
                state.objects[key] = nil
                changes.append(.deleted(object))
            }
            for object in list {
                if let change = state.objects.put(object) { changes.append(change) }
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
}

extension Dictionary where Key == ObjectKey, Value: KubernetesMetadata {
    /// What changed; nil where the object is the version that was there.
    fileprivate mutating func put(_ object: Value) -> Change<Value>? {
        guard let old = updateValue(object, forKey: object.key) else { return .added(object) }
        // Deleted and made anew while nobody looked: another object under the same name.
        let isSame =
            old.metadata.uid == object.metadata.uid
            && old.metadata.resourceVersion == object.metadata.resourceVersion
            && object.metadata.resourceVersion != nil
        return isSame ? nil : .updated(from: old, to: object)
    }
}
