extension KubernetesClient {
    /// Creates an object.
    ///
    /// - Throws: `alreadyExists` where one of that name is there.
    @discardableResult
    public func create<Object: KubernetesObject>(
        _ type: Object.Type = Object.self, _ object: Object
    ) async throws(KubernetesError) -> Object {
        try await create(
            type, Object.resource, in: object.metadata.namespace, JSONValue(encoding: object))
    }

    @discardableResult
    public func create(
        _ resource: ResourceDescriptor, in namespace: String? = nil, _ object: JSONValue
    ) async throws(KubernetesError) -> DynamicObject {
        try await create(DynamicObject.self, resource, in: namespace, object)
    }

    /// Creates `object`, which need not name its version and kind.
    @discardableResult
    public func create<Object: KubernetesMetadata>(
        _ type: Object.Type, _ resource: ResourceDescriptor, in namespace: String? = nil, _ object: JSONValue
    ) async throws(KubernetesError) -> Object {
        let call = Call(
            method: "POST", path: resource.collection(in: namespace),
            query: [("fieldManager", "sluice")],
            body: try JSONCoding.encode(object.identified(as: resource)), isIdempotent: false)
        return try await send(call, as: type)
    }

    /// Server-side apply: `fields` become those that `fieldManager` owns, all others of its own go.
    ///
    /// May be repeated. `fields` need not name version, kind, name and namespace.
    /// <https://kubernetes.io/docs/reference/using-api/server-side-apply/>
    ///
    /// - Parameters:
    ///   - force: takes fields that other managers own, instead of failing with `conflict`.
    ///   - subresource: `status`, to write that.
    @discardableResult
    public func apply<Object: KubernetesObject>(
        _ type: Object.Type, _ key: ObjectKey, _ fields: JSONValue, fieldManager: String, force: Bool = false,
        subresource: String? = nil
    ) async throws(KubernetesError) -> Object {
        try await apply(
            type, Object.resource, key, fields, fieldManager: fieldManager, force: force, subresource: subresource)
    }

    @discardableResult
    public func apply(
        _ resource: ResourceDescriptor, _ key: ObjectKey, _ fields: JSONValue, fieldManager: String,
        force: Bool = false, subresource: String? = nil
    ) async throws(KubernetesError) -> DynamicObject {
        try await apply(
            DynamicObject.self, resource, key, fields, fieldManager: fieldManager, force: force,
            subresource: subresource)
    }

    @discardableResult
    public func apply<Object: KubernetesMetadata>(
        _ type: Object.Type, _ resource: ResourceDescriptor, _ key: ObjectKey, _ fields: JSONValue,
        fieldManager: String, force: Bool = false, subresource: String? = nil
    ) async throws(KubernetesError) -> Object {
        var object = fields.identified(as: resource)
        var metadata = object["metadata"] ?? [:]
        metadata["name"] = .string(key.name)
        if resource.isNamespaced, let namespace = key.namespace { metadata["namespace"] = .string(namespace) }
        object["metadata"] = metadata
        var query = [("fieldManager", fieldManager)]
        if force { query.append(("force", "true")) }
        let call = Call(
            method: "PATCH", path: resource.path(of: key, subresource: subresource), query: query,
            body: try JSONCoding.encode(object), contentType: "application/apply-patch+yaml", isIdempotent: true)
        return try await send(call, as: type)
    }

    /// Server-side apply of the status: `status` becomes what `fieldManager` owns of it.
    @discardableResult
    public func applyStatus<Object: KubernetesObject>(
        _ type: Object.Type, _ key: ObjectKey, _ status: JSONValue, fieldManager: String, force: Bool = true
    ) async throws(KubernetesError) -> Object {
        try await apply(
            type, Object.resource, key, ["status": status], fieldManager: fieldManager, force: force,
            subresource: "status")
    }

    @discardableResult
    public func applyStatus(
        _ resource: ResourceDescriptor, _ key: ObjectKey, _ status: JSONValue, fieldManager: String, force: Bool = true
    ) async throws(KubernetesError) -> DynamicObject {
        try await apply(
            resource, key, ["status": status], fieldManager: fieldManager, force: force, subresource: "status")
    }

    /// Changes some fields.
    ///
    /// - Parameters:
    ///   - fieldManager: who is said to have written them.
    ///   - subresource: `status`, or `scale`.
    @discardableResult
    public func patch<Object: KubernetesObject>(
        _ type: Object.Type, _ key: ObjectKey, _ patch: Patch, fieldManager: String, subresource: String? = nil
    ) async throws(KubernetesError) -> Object {
        try await self.patch(
            type, Object.resource, key, patch, fieldManager: fieldManager, subresource: subresource)
    }

    @discardableResult
    public func patch(
        _ resource: ResourceDescriptor, _ key: ObjectKey, _ patch: Patch, fieldManager: String,
        subresource: String? = nil
    ) async throws(KubernetesError) -> DynamicObject {
        try await self.patch(
            DynamicObject.self, resource, key, patch, fieldManager: fieldManager, subresource: subresource)
    }

    @discardableResult
    public func patch<Object: KubernetesMetadata>(
        _ type: Object.Type, _ resource: ResourceDescriptor, _ key: ObjectKey, _ patch: Patch, fieldManager: String,
        subresource: String? = nil
    ) async throws(KubernetesError) -> Object {
        let call = Call(
            method: "PATCH", path: resource.path(of: key, subresource: subresource),
            query: [("fieldManager", fieldManager)], body: try JSONCoding.encode(patch.body),
            contentType: patch.contentType, isIdempotent: patch.isIdempotent)
        return try await send(call, as: type)
    }

    /// Writes an object whole. With a resource version in its metadata it fails with `conflict` where the object is
    /// another one by now.
    @discardableResult
    public func replace<Object: KubernetesObject>(
        _ type: Object.Type = Object.self, _ object: Object
    ) async throws(KubernetesError) -> Object {
        try await replace(type, Object.resource, object.key, JSONValue(encoding: object))
    }

    /// - Parameter subresource: `status`, to write that.
    @discardableResult
    public func replace<Object: KubernetesMetadata>(
        _ type: Object.Type = DynamicObject.self, _ resource: ResourceDescriptor, _ key: ObjectKey,
        _ object: JSONValue, subresource: String? = nil
    ) async throws(KubernetesError) -> Object {
        let call = Call(
            method: "PUT", path: resource.path(of: key, subresource: subresource),
            query: [("fieldManager", "sluice")], body: try JSONCoding.encode(object.identified(as: resource)),
            // Sent again after it was done it would fail with a conflict, or undo what came between.
            isIdempotent: false)
        return try await send(call, as: type)
    }

    /// Asks for an object's deletion. It goes once its finalizers are gone.
    ///
    /// - Throws: `notFound` where there is none, `conflict` where the preconditions do not hold.
    public func delete<Object: KubernetesObject>(
        _ type: Object.Type, _ key: ObjectKey, _ options: DeleteOptions = DeleteOptions()
    ) async throws(KubernetesError) {
        try await delete(Object.resource, key, options)
    }

    public func delete(
        _ resource: ResourceDescriptor, _ key: ObjectKey, _ options: DeleteOptions = DeleteOptions()
    ) async throws(KubernetesError) {
        let call = Call(
            method: "DELETE", path: resource.path(of: key), body: try JSONCoding.encode(options.body),
            isIdempotent: options.uid != nil)
        _ = try await send(call)
    }
}

extension JSONValue {
    /// With its version and kind, where they are not named yet.
    func identified(as resource: ResourceDescriptor) -> JSONValue {
        var object = self
        if object["apiVersion"] == nil { object["apiVersion"] = .string(resource.apiVersion) }
        if object["kind"] == nil { object["kind"] = .string(resource.kind) }
        return object
    }
}
