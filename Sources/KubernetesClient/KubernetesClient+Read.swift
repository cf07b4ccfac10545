extension KubernetesClient {
    /// Reads one object, live.
    public func get<Object: KubernetesObject>(
        _ type: Object.Type, _ key: ObjectKey
    ) async throws(KubernetesError) -> Object {
        try await get(type, Object.resource, key)
    }

    public func get(_ resource: ResourceDescriptor, _ key: ObjectKey) async throws(KubernetesError) -> DynamicObject {
        try await get(DynamicObject.self, resource, key)
    }

    /// Reads an object of `resource` as a type of the caller's choice.
    public func get<Object: KubernetesMetadata>(
        _ type: Object.Type, _ resource: ResourceDescriptor, _ key: ObjectKey
    ) async throws(KubernetesError) -> Object {
        try await send(Call(method: "GET", path: resource.path(of: key), isIdempotent: true), as: type)
    }

    /// As ``get(_:_:)``, but nil where there is none.
    public func find<Object: KubernetesObject>(
        _ type: Object.Type, _ key: ObjectKey
    ) async throws(KubernetesError) -> Object? {
        do {
            return try await get(type, Object.resource, key)
        } catch  where error.code == .notFound {
            return nil
        }
    }

    public func find(_ resource: ResourceDescriptor, _ key: ObjectKey) async throws(KubernetesError) -> DynamicObject? {
        do {
            return try await get(DynamicObject.self, resource, key)
        } catch  where error.code == .notFound {
            return nil
        }
    }

    /// Lists objects, in pages of ``ListOptions/pageSize``.
    ///
    /// - Parameter namespace: nil for all.
    public func list<Object: KubernetesObject>(
        _ type: Object.Type, in namespace: String? = nil, _ options: ListOptions = ListOptions()
    ) async throws(KubernetesError) -> ObjectList<Object> {
        try await list(type, Object.resource, in: namespace, options)
    }

    public func list(
        _ resource: ResourceDescriptor, in namespace: String? = nil, _ options: ListOptions = ListOptions()
    ) async throws(KubernetesError) -> ObjectList<DynamicObject> {
        try await list(DynamicObject.self, resource, in: namespace, options)
    }

    public func list<Object: KubernetesMetadata>(
        _ type: Object.Type, _ resource: ResourceDescriptor, in namespace: String? = nil,
        _ options: ListOptions = ListOptions()
    ) async throws(KubernetesError) -> ObjectList<Object> {
        var options = options
        // With a version the server answers from its cache, which it does not cut into pages.
        if options.resourceVersion != nil { options.pageSize = nil }
        var objects: [Object] = []
        var token: String?
        repeat {
            var query = options.query
            if let token { query.append(("continue", token)) }
            let call = Call(
                method: "GET", path: resource.collection(in: namespace), query: query, isIdempotent: true)
            let page: ListPage<Object>
            do {
                page = try await send(call, as: ListPage<Object>.self)
            } catch  where error.code == .expired && token != nil {
                // The version that the pages are of was compacted away while they were read: take it whole.
                objects = []
                token = nil
                options.pageSize = nil
                continue
            }
            objects += page.items ?? []
            token = page.metadata.continue.flatMap { $0.isEmpty ? nil : $0 }
            if token == nil {
                return ObjectList(items: objects, resourceVersion: page.metadata.resourceVersion ?? "")
            }
        } while true
    }
}
