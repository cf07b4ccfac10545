internal import PostgreSQL

/// The requests with which a checker takes a server in hand. Refused unless the store's settings allow them.
struct Debugging {
    private let store: PromiseStore

    init(_ store: PromiseStore) {
        self.store = store
    }

    func answer(_ request: Request) async throws -> Response {
        if let flaw = request.versionFlaw { return Response(to: request, status: 400, error: flaw) }
        guard store.settings.isDebugging else {
            return Response(to: request, status: 403, error: "\(request.operation.kind) needs a server in debug mode")
        }
        switch request.operation {
        case .startDebugging:
            store.freeze(true)
        case .stopDebugging:
            store.freeze(false)
        case .resetForDebugging:
            try await reset()
        case .tick(let time):
            try await store.fireTimers(at: time)
            return Response(to: request, data: ResponseData(snapshot: "[]"))
        default:
            return Response(to: request, data: ResponseData(snapshot: try await snapshot()))
        }
        return Response(to: request)
    }

    private func reset() async throws {
        try await store.pool.withConnection { connection in
            try await connection.execute(
                """
                TRUNCATE sluice.promise, sluice.task, sluice.callback, sluice.listener, sluice.schedule, sluice.timer,
                    sluice.message
                """
            )
        }
    }

    private func snapshot() async throws -> String {
        let sql = """
            SELECT json_build_object(
                'promises', (SELECT coalesce(json_agg(json_strip_nulls(json_build_object(
                    'id', id, 'state', state, 'param', param, 'value', value, 'tags', tags, 'timeoutAt', timeout_at,
                    'createdAt', created_at, 'settledAt', settled_at)) ORDER BY id), '[]') FROM sluice.promise),
                'promiseTimeouts', (SELECT coalesce(json_agg(json_build_object('id', id, 'timeout', at) ORDER BY id), '[]')
                    FROM sluice.timer WHERE kind = 'promise'),
                'callbacks', (SELECT coalesce(json_agg(json_build_object('awaited', awaited, 'awaiter', awaiter)
                    ORDER BY awaited, awaiter), '[]') FROM sluice.callback),
                'listeners', (SELECT coalesce(json_agg(json_build_object('id', awaited, 'address', address)
                    ORDER BY awaited, address), '[]') FROM sluice.listener),
                'tasks', (SELECT coalesce(json_agg(json_strip_nulls(json_build_object(
                    'id', id, 'state', state, 'version', version, 'resumes', resumes, 'ttl', ttl, 'pid', pid))
                    ORDER BY id), '[]') FROM sluice.task),
                'taskTimeouts', (SELECT coalesce(json_agg(json_build_object('id', r.id, 'timeout', r.at,
                    'type', CASE t.state WHEN 'acquired' THEN 1 ELSE 0 END) ORDER BY r.id), '[]')
                    FROM sluice.timer r JOIN sluice.task t USING (id) WHERE r.kind = 'task'),
                'messages', (SELECT coalesce(json_agg(json_strip_nulls(json_build_object('address', address,
                    'kind', CASE WHEN version IS NULL THEN 'unblock' ELSE 'execute' END, 'id', promise,
                    'version', version)) ORDER BY seq), '[]') FROM sluice.message)
            )::text AS snapshot
            """
        return try await store.pool.withConnection { try await $0.query(sql).row().text("snapshot") }
    }
}
