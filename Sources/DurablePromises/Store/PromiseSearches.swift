internal import PostgreSQL

/// Searches: of the whole store, read at once and not with other requests.
struct PromiseSearches {
    /// A page ends, however many records were asked for, with the one that brings it to so many bytes, of the text that
    /// PostgreSQL makes of rows.
    private static let pageBytes: Int64 = 8 << 20

    private let store: PromiseStore

    init(_ store: PromiseStore) {
        self.store = store
    }

    func answer(_ request: Request) async throws -> Response {
        if let flaw = request.versionFlaw { return Response(to: request, status: 400, error: flaw) }
        let search: PromiseSearch
        let states: [String]?
        switch request.operation {
        case .searchPromises(let given): (search, states) = (given, PromiseState.allCases.map(\.rawValue))
        case .searchTasks(let given): (search, states) = (given, TaskState.allCases.map(\.rawValue))
        case .searchSchedules(let given): (search, states) = (given, nil)
        default: return Response(to: request, status: 400, error: "\(request.operation.kind) is no search")
        }
        if let flaw = search.flaw(states: states) { return Response(to: request, status: 400, error: flaw) }
        let data =
            switch request.operation {
            case .searchTasks: try await tasks(search)
            case .searchSchedules: try await schedules(search)
            default: try await promises(search)
            }
        return Response(to: request, data: data)
    }

    /// A promise's state as it is now, whether that was written or not.
    private static let state = """
        CASE WHEN p.state <> 'pending' OR p.timeout_at > $1::bigint THEN p.state
            WHEN p.tags ->> 'resonate:timer' = 'true' THEN 'resolved' ELSE 'rejected_timedout' END
        """

    private func promises(_ search: PromiseSearch) async throws -> ResponseData {
        let page = try await page(
            """
            SELECT \(PromiseRows.promiseColumns) FROM sluice.promise p
            WHERE p.id > $2 AND p.tags @> $3::jsonb AND ($4::text IS NULL OR \(Self.state) = $4::text)
            ORDER BY p.id LIMIT $5::bigint
            """,
            search,
            limit: 100
        )
        let records = try page.rows.map { try PromiseRows.promise($0).projected(at: page.now) }
        return ResponseData(promises: records, cursor: page.isLast ? nil : records.last?.id)
    }

    /// A task as a reader finds it: over when its promise is, nobody's when its lease has ended. Of the promise nothing else
    /// is read, for it may be large.
    private func tasks(_ search: PromiseSearch) async throws -> ResponseData {
        let state = """
            CASE WHEN \(Self.state) <> 'pending' THEN 'fulfilled'
                WHEN t.state = 'acquired' AND t.lease_expires_at <= $1::bigint THEN 'pending' ELSE t.state END
            """
        let page = try await page(
            """
            SELECT p.id, p.state, '{}' AS param, '{}' AS value, '{}' AS tags, p.timeout_at, p.created_at, p.settled_at,
                \(PromiseRows.taskColumns)
            FROM sluice.task t JOIN sluice.promise p USING (id)
            WHERE t.id > $2 AND p.tags @> $3::jsonb AND ($4::text IS NULL OR \(state) = $4::text)
            ORDER BY t.id LIMIT $5::bigint
            """,
            search,
            limit: 100
        )
        let records = try page.rows.map { row in
            let promise = try PromiseRows.promise(row)
            let task = try PromiseRows.task(row)
            var machine = PromiseStateMachine(stored: PromiseRecords(promises: [promise], tasks: [task]))
            let response = machine.answer(Request(.getTask(id: task.id)), now: page.now)
            return response.data.task ?? task
        }
        return ResponseData(tasks: records, cursor: page.isLast ? nil : records.last?.id)
    }

    private func schedules(_ search: PromiseSearch) async throws -> ResponseData {
        let page = try await page(
            """
            SELECT \(PromiseRows.scheduleColumns) FROM sluice.schedule
            WHERE id > $2 AND promise_tags @> $3::jsonb AND $1::bigint IS NOT NULL AND $4::text IS NULL
            ORDER BY id LIMIT $5::bigint
            """,
            search,
            limit: 10
        )
        let records = try page.rows.map { try PromiseRows.schedule($0) }
        return ResponseData(schedules: records, cursor: page.isLast ? nil : records.last?.id)
    }

    private struct Page {
        var rows: [PostgresRow]
        var isLast: Bool
        var now: Int64
    }

    /// The first rows of what a query finds, which has at most the given number.
    private func page(_ sql: String, _ search: PromiseSearch, limit: Int64) async throws -> Page {
        let now = try await store.now()
        let limit = search.limit ?? limit
        let rows = try await store.pool.withConnection { connection in
            try await connection.query(
                """
                SELECT * FROM (
                    SELECT q.*, count(*) OVER () AS found, sum(octet_length(q::text)) OVER (
                        ORDER BY q.id ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS bytes_before
                    FROM (\(sql)) q
                ) page WHERE coalesce(bytes_before, 0) < $6::bigint ORDER BY id
                """,
                [
                    .integer(now), .text(search.cursor ?? ""), .text(PromiseRows.json(search.tags)),
                    .optional(search.state), .integer(limit), .integer(Self.pageBytes),
                ]
            ).rows
        }
        let found = try rows.first?.integer("found") ?? 0
        return Page(rows: rows, isLast: found < limit && rows.count == found, now: now)
    }
}
