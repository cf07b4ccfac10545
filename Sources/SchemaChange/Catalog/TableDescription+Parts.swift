/// SQL for parts of a ``TableDescription``, the same for a table and for its partitions.
extension TableDescription {
    /// An SQL expression, JSON: the constraint `k` of `table`.
    static func constraint(of table: String) -> String {
        """
        json_build_object(
            'name', k.conname,
            'kind', k.contype,
            'columns', coalesce((
                SELECT json_agg(a.attname ORDER BY u.ordinality)
                FROM unnest(k.conkey) WITH ORDINALITY AS u(attnum, ordinality)
                JOIN pg_attribute a ON a.attrelid = \(table).oid AND a.attnum = u.attnum
            ), '[]'),
            'definition', regexp_replace(pg_get_constraintdef(k.oid), ' NOT VALID$', ''),
            'isValidated', k.convalidated,
            'isDeferrable', k.condeferrable,
            'isDeferred', k.condeferred,
            'comment', obj_description(k.oid, 'pg_constraint'),
            'references', (
                SELECT json_build_object('schema', fn.nspname, 'name', f.relname)
                FROM pg_class f JOIN pg_namespace fn ON fn.oid = f.relnamespace WHERE f.oid = k.confrelid
            ),
            'foreignKey', CASE WHEN k.contype = 'f' THEN json_build_object(
                'columns', (
                    SELECT json_agg(a.attname ORDER BY u.ordinality)
                    FROM unnest(k.confkey) WITH ORDINALITY AS u(attnum, ordinality)
                    JOIN pg_attribute a ON a.attrelid = k.confrelid AND a.attnum = u.attnum
                ),
                'onDelete', k.confdeltype, 'onUpdate', k.confupdtype
            ) END
        )
        """
    }

    /// A query of the columns, `attname`, by which the index `i`, which is `x`, of `table` finds a row, and those that its
    /// expressions and its condition name: not what it includes.
    static func reliesOn(of table: String) -> String {
        """
        SELECT a.attname FROM pg_attribute a
        WHERE a.attrelid = \(table).oid AND a.attnum > 0 AND (a.attnum = ANY (i.indkey[0:i.indnkeyatts - 1])
            OR a.attnum <> ALL (i.indkey[i.indnkeyatts:]) AND EXISTS (
                SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = x.oid
                    AND d.refclassid = 'pg_class'::regclass AND d.refobjid = \(table).oid AND d.refobjsubid = a.attnum))
        ORDER BY a.attnum
        """
    }
}
