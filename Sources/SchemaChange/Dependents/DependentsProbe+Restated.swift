/// What names the column in a text of its own, and is made again by that text once the name means the new column.
extension DependentsProbe {
    private static func object(_ description: String, _ statements: String) -> String {
        """
        json_build_object('description', \(description), 'statements', array_to_json(array_remove(\(statements), NULL)))
        """
    }

    /// Answers `name` and `object`, the JSON of ``ColumnDependents/Restated``; nil where the name does not go over.
    var restatedQuery: String? {
        guard keepsName else { return nil }
        return [views, policies, triggers, statistics].compactMap { $0 }.joined(separator: " UNION ALL ")
    }

    /// Nil with a new type, which a view cannot take without those that are made on it.
    private var views: String? {
        guard newType == nil else { return nil }
        return """
            SELECT 'view ' || v.oid::regclass AS name, \(Self.object("'view ' || v.oid::regclass", """
                ARRAY['CREATE OR REPLACE VIEW ' || quote_ident(n.nspname) || '.' || quote_ident(v.relname)
                    || coalesce(' WITH (' || array_to_string(v.reloptions, ', ') || ')', '') || ' AS '
                    || rtrim(pg_get_viewdef(v.oid), ';')]
                """)) AS object
            FROM pg_class v JOIN pg_namespace n ON n.oid = v.relnamespace
            WHERE v.relkind = 'v' AND NOT \(TableDescription.isVersioned("v")) AND v.oid IN (
                SELECT ev_class FROM pg_rewrite WHERE oid IN (\(dependents("pg_rewrite"))))
            """
    }

    private var policies: String {
        let name = "quote_ident(p.polname) || ' ON ' || p.polrelid::regclass"
        return """
            SELECT 'policy ' || p.polname AS name, \(Self.object("'policy ' || \(name)", """
                ARRAY['DROP POLICY ' || \(name), 'CREATE POLICY ' || \(name)
                    || CASE WHEN p.polpermissive THEN ' AS PERMISSIVE' ELSE ' AS RESTRICTIVE' END
                    || ' FOR ' || CASE p.polcmd WHEN 'r' THEN 'SELECT' WHEN 'a' THEN 'INSERT' WHEN 'w' THEN 'UPDATE'
                        WHEN 'd' THEN 'DELETE' ELSE 'ALL' END
                    || ' TO ' || (SELECT string_agg(CASE r.oid WHEN 0 THEN 'PUBLIC' ELSE r.oid::regrole::text END, ', ')
                        FROM unnest(p.polroles) AS r(oid))
                    || coalesce(' USING (' || pg_get_expr(p.polqual, p.polrelid) || ')', '')
                    || coalesce(' WITH CHECK (' || pg_get_expr(p.polwithcheck, p.polrelid) || ')', ''),
                    'COMMENT ON POLICY ' || \(name) || ' IS ' || quote_literal(obj_description(p.oid, 'pg_policy'))]
                """)) AS object
            FROM pg_policy p WHERE p.oid IN (\(dependents("pg_policy")))
            """
    }

    private var triggers: String {
        let name = "quote_ident(t.tgname) || ' ON ' || t.tgrelid::regclass"
        return """
            SELECT 'trigger ' || t.tgname AS name, \(Self.object("'trigger ' || \(name)", """
                ARRAY['DROP TRIGGER ' || \(name), pg_get_triggerdef(t.oid),
                    'ALTER TABLE ' || t.tgrelid::regclass || CASE t.tgenabled WHEN 'D' THEN ' DISABLE TRIGGER '
                        WHEN 'A' THEN ' ENABLE ALWAYS TRIGGER ' WHEN 'R' THEN ' ENABLE REPLICA TRIGGER ' END
                        || quote_ident(t.tgname),
                    'COMMENT ON TRIGGER ' || \(name) || ' IS ' || quote_literal(obj_description(t.oid, 'pg_trigger'))]
                """)) AS object
            FROM pg_trigger t JOIN pg_proc f ON f.oid = t.tgfoid
            WHERE NOT t.tgisinternal AND f.pronamespace IS DISTINCT FROM to_regnamespace('sluice')
                AND t.oid IN (\(dependents("pg_trigger")))
            """
    }

    private var statistics: String {
        let name = "quote_ident(n.nspname) || '.' || quote_ident(s.stxname)"
        return """
            SELECT 'statistics ' || s.stxname AS name, \(Self.object("'statistics ' || \(name)", """
                ARRAY['DROP STATISTICS ' || \(name), pg_get_statisticsobjdef(s.oid),
                    CASE WHEN s.stxstattarget >= 0
                        THEN 'ALTER STATISTICS ' || \(name) || ' SET STATISTICS ' || s.stxstattarget END,
                    'COMMENT ON STATISTICS ' || \(name) || ' IS '
                        || quote_literal(obj_description(s.oid, 'pg_statistic_ext'))]
                """)) AS object
            FROM pg_statistic_ext s JOIN pg_namespace n ON n.oid = s.stxnamespace
            WHERE s.oid IN (\(dependents("pg_statistic_ext")))
            """
    }

    /// Comment, grants and how values are stored and sampled.
    var settingsAnswer: String {
        let place = "\(table.quoted).\(interim.quotedIdentifier)".quotedLiteral
        let alter = "ALTER TABLE \(table.quoted) ALTER COLUMN \(interim.quotedIdentifier) ".quotedLiteral
        let column = interim.quotedIdentifier.quotedLiteral
        let granted = table.quoted.quotedLiteral
        let storage =
            newType != nil
            ? ""
            : """
            UNION ALL SELECT 'storage', \(alter) || 'SET STORAGE ' || CASE a.attstorage
                WHEN 'p' THEN 'PLAIN' WHEN 'e' THEN 'EXTERNAL' WHEN 'x' THEN 'EXTENDED' ELSE 'MAIN' END
            FROM own a JOIN pg_type y ON y.oid = a.atttypid WHERE a.attstorage <> y.typstorage
            UNION ALL SELECT 'compression', \(alter) || 'SET COMPRESSION '
                || CASE a.attcompression WHEN 'l' THEN 'lz4' ELSE 'pglz' END
            FROM own a WHERE a.attcompression <> ''
            """
        return """
            WITH own AS (
                SELECT * FROM pg_attribute WHERE attrelid = \(relation) AND attname = \(self.column.quotedLiteral)
            ),
            statements(name, statement) AS (
                SELECT 'comment', 'COMMENT ON COLUMN ' || \(place) || ' IS '
                    || quote_literal(col_description(a.attrelid, a.attnum)) FROM own a
                UNION ALL SELECT 'grant', 'GRANT ' || g.privilege_type || ' (' || \(column) || ') ON ' || \(granted)
                    || ' TO ' || CASE g.grantee WHEN 0 THEN 'PUBLIC' ELSE g.grantee::regrole::text END
                    || CASE WHEN g.is_grantable THEN ' WITH GRANT OPTION' ELSE '' END
                FROM own a CROSS JOIN LATERAL aclexplode(a.attacl) AS g
                UNION ALL SELECT 'target', \(alter) || 'SET STATISTICS ' || a.attstattarget
                FROM own a WHERE a.attstattarget >= 0
                UNION ALL SELECT 'options', \(alter) || 'SET (' || array_to_string(a.attoptions, ', ') || ')'
                FROM own a WHERE a.attoptions IS NOT NULL
                \(storage)
            )
            SELECT name, to_json(statement) AS object FROM statements WHERE statement IS NOT NULL
            """
    }

    /// What depends on the column and cannot be had for the new one.
    var obstacleAnswer: String {
        let renamed =
            keepsName
            ? ""
            : """
            UNION ALL SELECT 'policy ' || p.polname || ', whose condition names it'
            FROM pg_policy p WHERE p.oid IN (\(dependents("pg_policy")))
            UNION ALL SELECT 'trigger ' || t.tgname || ', whose definition names it'
            FROM pg_trigger t JOIN pg_proc f ON f.oid = t.tgfoid
            WHERE NOT t.tgisinternal AND f.pronamespace IS DISTINCT FROM to_regnamespace('sluice')
                AND t.oid IN (\(dependents("pg_trigger")))
            UNION ALL SELECT 'statistics ' || s.stxname || ', which are of it'
            FROM pg_statistic_ext s WHERE s.oid IN (\(dependents("pg_statistic_ext")))
            """
        let views = keepsName && newType == nil ? "v.relkind <> 'v'" : "true"
        return """
            SELECT found.text AS name, to_json(found.text) AS object FROM (
                SELECT CASE v.relkind WHEN 'm' THEN 'materialized view ' WHEN 'v' THEN 'view ' ELSE 'a rule of ' END
                    || v.oid::regclass || ', which shows it' AS text
                FROM pg_class v WHERE \(views) AND NOT \(TableDescription.isVersioned("v")) AND v.oid IN (
                    SELECT ev_class FROM pg_rewrite WHERE oid IN (\(dependents("pg_rewrite"))))
                UNION ALL SELECT 'generated column ' || quote_ident(a.attname) || ', which is made of it'
                FROM pg_attrdef f JOIN pg_attribute a ON a.attrelid = f.adrelid AND a.attnum = f.adnum
                WHERE a.attgenerated <> '' AND f.oid IN (\(dependents("pg_attrdef")))
                UNION ALL SELECT 'function ' || f.oid::regprocedure || ', whose body names it'
                FROM pg_proc f WHERE f.oid IN (\(dependents("pg_proc")))
                UNION ALL SELECT 'exclusion constraint ' || q.conname || ', which is over it'
                FROM pg_constraint q WHERE q.conrelid = \(relation) AND q.contype = 'x'
                    AND q.oid IN (\(dependents("pg_constraint")))
                UNION ALL SELECT 'publication ' || quote_ident(u.pubname) || ', whose list of columns or row filter names it'
                FROM pg_publication_rel r JOIN pg_publication u ON u.oid = r.prpubid
                WHERE r.oid IN (\(dependents("pg_publication_rel")))
                UNION ALL SELECT 'foreign key ' || q.conname || ', which sets some of its columns alone'
                FROM pg_constraint q WHERE q.conrelid = \(relation) AND q.contype = 'f'
                    AND \(number) = ANY (q.confdelsetcols)
                UNION ALL SELECT 'primary key ' || q.conname || ', whose index includes other columns'
                FROM pg_constraint q JOIN pg_index i ON i.indexrelid = q.conindid
                WHERE q.conrelid = \(relation) AND q.contype = 'p' AND \(number) = ANY (q.conkey)
                    AND i.indnatts > i.indnkeyatts
                \(renamed)
            ) AS found
            """
    }
}
