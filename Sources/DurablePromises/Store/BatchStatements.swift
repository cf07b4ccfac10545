internal import PostgreSQL

/// The statements of a shared transaction. Each is about any number of records, and is prepared.
enum BatchStatements {
    static let begin = PostgresStatement("BEGIN", isPrepared: true)
    static let commit = PostgresStatement("COMMIT", isPrepared: true)

    /// Locks partitions in order, and says what time it is when all are locked.
    ///
    /// Every statement of the transaction is about a few records by their keys, whatever the statistics of a young table
    /// make the planner believe. And a process that is frozen, or cut off, does not keep its locks: the server ends its
    /// session, while whoever waits tries again.
    static func lock(_ partitions: Set<Int64>) -> PostgresStatement {
        PostgresStatement(
            """
            SELECT pg_advisory_xact_lock(key), floor(extract(epoch FROM clock_timestamp()) * 1000)::bigint AS now
            FROM (
                SELECT set_config('enable_seqscan', 'off', true), set_config('enable_hashjoin', 'off', true),
                    set_config('enable_mergejoin', 'off', true), set_config('enable_bitmapscan', 'off', true),
                    set_config('plan_cache_mode', 'force_generic_plan', true), set_config('lock_timeout', '5s', true),
                    set_config('idle_in_transaction_session_timeout', '10s', true)
                OFFSET 0
            ) settings, unnest($1::bigint[]) key
            """,
            [.textArray(partitions.sorted().map { String($0) })],
            isPrepared: true
        )
    }

    // MARK: Reading

    /// The promises with their tasks, and those that wait for them.
    static func promises(_ ids: Set<String>) -> PostgresStatement {
        PostgresStatement(
            """
            SELECT \(PromiseRows.promiseColumns), \(PromiseRows.taskColumns)
            FROM sluice.promise p LEFT JOIN sluice.task t USING (id)
            WHERE p.id = ANY (ARRAY(
                SELECT unnest($1::text[]) UNION SELECT c.awaiter FROM sluice.callback c WHERE c.awaited = ANY ($1::text[])
            ))
            """,
            [.textArray(Array(ids))],
            isPrepared: true
        )
    }

    /// Who waits for the promises, by task or by address, and what they themselves wait for.
    static func waiting(_ ids: Set<String>) -> PostgresStatement {
        PostgresStatement(
            """
            SELECT awaited, awaiter, NULL AS address FROM sluice.callback WHERE awaited = ANY ($1::text[])
            UNION SELECT awaited, awaiter, NULL FROM sluice.callback WHERE awaiter = ANY ($1::text[])
            UNION ALL SELECT awaited, NULL, address FROM sluice.listener WHERE awaited = ANY ($1::text[])
            """,
            [.textArray(Array(ids))],
            isPrepared: true
        )
    }

    static func schedules(_ ids: Set<String>) -> PostgresStatement {
        PostgresStatement(
            "SELECT \(PromiseRows.scheduleColumns) FROM sluice.schedule WHERE id = ANY ($1::text[])",
            [.textArray(Array(ids))],
            isPrepared: true
        )
    }

    /// The other promises of the branches of `ids`; a promise that does not exist yet has the branch that is given.
    /// Since an id begins with its branch, they are found by the key.
    static func branches(_ ids: [String: String]) -> PostgresStatement {
        PostgresStatement(
            """
            SELECT DISTINCT ON (p.id) \(PromiseRows.promiseColumns)
            FROM (
                SELECT w.id, coalesce(t.tags ->> 'resonate:branch', CASE WHEN t.id IS NULL THEN w.branch END) AS branch
                FROM unnest($1::text[], $2::text[]) w (id, branch) LEFT JOIN sluice.promise t ON t.id = w.id
            ) b, LATERAL (
                (SELECT * FROM sluice.promise WHERE id = b.branch COLLATE "C")
                UNION ALL
                (SELECT * FROM sluice.promise
                    WHERE id >= (b.branch || '.') COLLATE "C" AND id < (b.branch || '/') COLLATE "C"
                        AND tags ->> 'resonate:branch' = b.branch
                    ORDER BY id LIMIT \(PromiseRules.mostPreloaded))
                UNION ALL
                (SELECT * FROM sluice.promise
                    WHERE id >= (b.branch || ':') COLLATE "C" AND id < (b.branch || ';') COLLATE "C"
                        AND tags ->> 'resonate:branch' = b.branch
                    ORDER BY id LIMIT \(PromiseRules.mostPreloaded))
            ) p
            WHERE b.branch <> '' AND p.id <> b.id AND p.tags ->> 'resonate:branch' = b.branch
            ORDER BY p.id
            """,
            [.textArray(Array(ids.keys)), .textArray(Array(ids.values))],
            isPrepared: true
        )
    }
}
