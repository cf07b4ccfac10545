/// A question to PostgreSQL about what depends on a column that another is to replace, asked on a scratch copy of the
/// table before a plan is made.
///
/// The copy gets the indexes and checks of the column, then the column's new type and name; so it is PostgreSQL that says
/// how each reads for the new column, and whether it can be. Run ``setUp``, ``retype``, ``check``, ``rename`` and then ``query`` in one
/// transaction, and roll it back.
public struct DependentsProbe: Hashable, Sendable {
    public let path: String
    public let table: TableName
    public let column: String
    /// What the new column is called in the table until Contract.
    let interim: String
    /// And the old one from Contract on.
    let archived: String
    /// The new column's type where it is another one.
    let newType: String?
    /// Whether the new column takes the old one's name at Contract.
    let keepsName: Bool
    /// A CHECK that is new, by its name.
    let newCheck: NewCheck?

    static let scratch = "pg_temp.sluice_dependents"

    public var setUp: [String] {
        [
            """
            CREATE TEMPORARY TABLE sluice_dependents (LIKE \(table.quoted) INCLUDING CONSTRAINTS) ON COMMIT DROP
            """,
            """
            DO \("""
                DECLARE
                    sluice_index record;
                BEGIN
                    FOR sluice_index IN \(indexes) LOOP
                        EXECUTE sluice_index.kind || quote_ident(sluice_index.name) || ' ON \(Self.scratch)'
                            || sluice_index.tail;
                    END LOOP;
                END
                """.quotedLiteral)
            """,
        ]
    }

    /// An error of it is an index's or a check's: it cannot be had on the new type.
    public var retype: String? {
        newType.map {
            "ALTER TABLE \(Self.scratch) ALTER COLUMN \(column.quotedIdentifier) TYPE \($0) USING NULL::\($0)"
        }
    }

    /// An error of it is the new CHECK's.
    public var check: String? {
        newCheck.map {
            "ALTER TABLE \(Self.scratch) ADD CONSTRAINT \($0.name.quotedIdentifier) CHECK (\($0.constraint))"
        }
    }

    /// The column takes the name that it has until Contract.
    public var rename: String {
        "ALTER TABLE \(Self.scratch) RENAME COLUMN \(column.quotedIdentifier) TO \(interim.quotedIdentifier)"
    }

    // MARK: The answer

    /// Answers one row with one column: ``ColumnDependents`` as JSON.
    public var query: String {
        """
        SELECT json_build_object(
            'indexes', \(Self.list(indexAnswer)),
            'checks', \(Self.list(checkAnswer)),
            'foreignKeys', \(Self.list(foreignKeys(of: "q.conrelid", "q.conkey"))),
            'referring', \(Self.list(foreignKeys(of: "q.confrelid", "q.confkey"))),
            'sequence', (\(sequenceAnswer)),
            'restated', \(Self.list(restatedQuery ?? "SELECT NULL::json AS object, '' AS name WHERE false")),
            'settings', \(Self.list(settingsAnswer)),
            'known', (SELECT coalesce(json_agg(name ORDER BY name), '[]') FROM (\(KnownDependents.query(of: table, column))) AS k),
            'shared', \(Self.list(sharedAnswer)),
            'obstacles', \(Self.list(obstacleAnswer))
        )::text
        """
    }

    private static func list(_ query: String) -> String {
        "(SELECT coalesce(json_agg(object ORDER BY name), '[]') FROM (\(query)) AS found)"
    }

    var relation: String { "\(table.quoted.quotedLiteral)::regclass" }

    /// The column's number in the table.
    var number: String {
        "(SELECT attnum FROM pg_attribute WHERE attrelid = \(relation) AND attname = \(column.quotedLiteral))"
    }

    /// Objects of a catalog that depend on the column.
    func dependents(_ catalog: String) -> String {
        """
        SELECT DISTINCT d.objid FROM pg_depend d WHERE d.classid = '\(catalog)'::regclass
            AND d.refclassid = 'pg_class'::regclass AND d.refobjid = \(relation) AND d.refobjsubid = \(number)
        """
    }

    /// `pg_get_indexdef` writes the table with its schema: <https://www.postgresql.org/docs/15/functions-info.html>.
    private var indexes: String {
        """
        SELECT c.oid, c.relname AS name, k.kind,
            substr(pg_get_indexdef(c.oid), length(k.kind || quote_ident(c.relname) || ' ON '
                || quote_ident(n.nspname) || '.' || quote_ident(t.relname)) + 1) AS tail
        FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
        JOIN pg_class t ON t.oid = i.indrelid JOIN pg_namespace n ON n.oid = t.relnamespace
        CROSS JOIN LATERAL (SELECT CASE WHEN i.indisunique THEN 'CREATE UNIQUE INDEX ' ELSE 'CREATE INDEX ' END) AS k(kind)
        WHERE i.indrelid = \(relation) AND i.indisvalid AND NOT i.indisexclusion
            AND (\(number) = ANY (i.indkey) OR i.indexrelid IN (\(dependents("pg_class"))))
        """
    }

    private var indexAnswer: String {
        """
        SELECT f.name, json_build_object(
            'name', f.name, 'isUnique', i.indisunique, 'isClustered', i.indisclustered,
            'isReplicaIdentity', i.indisreplident, 'comment', obj_description(f.oid, 'pg_class'),
            'tail', regexp_replace(
                substr(pg_get_indexdef(s.oid), length(f.kind || quote_ident(s.relname) || ' ON ') + 1),
                '^pg_temp(_\\d+)?\\.sluice_dependents', ''),
            'constraint', (SELECT json_build_object(
                    'name', conname, 'isPrimary', contype = 'p',
                    'columns', (SELECT json_agg(a.attname ORDER BY k.place)
                        FROM unnest(q.conkey) WITH ORDINALITY AS k(attnum, place)
                        JOIN pg_attribute a ON a.attrelid = q.conrelid AND a.attnum = k.attnum),
                    'comment', obj_description(q.oid, 'pg_constraint'),
                    'timing', CASE WHEN condeferrable THEN ' DEFERRABLE' ELSE '' END
                        || CASE WHEN condeferred THEN ' INITIALLY DEFERRED' ELSE '' END)
                FROM pg_constraint q WHERE q.conindid = f.oid AND q.conrelid = i.indrelid AND q.contype IN ('p', 'u'))
        ) AS object
        FROM (\(indexes)) AS f JOIN pg_index i ON i.indexrelid = f.oid
        JOIN pg_class s ON s.relname = f.name AND s.relnamespace = pg_my_temp_schema()
        """
    }

    private var checkAnswer: String {
        """
        SELECT q.conname AS name, json_build_object(
            'name', q.conname, 'definition', regexp_replace(pg_get_constraintdef(q.oid), ' NOT VALID$', ''),
            'isValidated', coalesce(o.convalidated, true), 'comment', obj_description(o.oid, 'pg_constraint')
        ) AS object
        FROM pg_constraint q
        LEFT JOIN pg_constraint o ON o.conrelid = \(relation) AND o.conname = q.conname
        WHERE q.conrelid = '\(Self.scratch)'::regclass AND q.contype = 'c' AND (
            SELECT attnum FROM pg_attribute
            WHERE attrelid = q.conrelid AND attname = \(interim.quotedLiteral)) = ANY (q.conkey)
        """
    }

    private func foreignKeys(of table: String, _ columns: String) -> String {
        """
        SELECT q.conname || q.conrelid AS name, json_build_object(
            'name', q.conname, 'isValidated', q.convalidated, 'comment', obj_description(q.oid, 'pg_constraint'),
            'table', \(Self.name(of: "q.conrelid")), 'columns', \(Self.names("q.conrelid", "q.conkey")),
            'referred', \(Self.name(of: "q.confrelid")), 'referredColumns', \(Self.names("q.confrelid", "q.confkey")),
            'options', CASE q.confmatchtype WHEN 'f' THEN ' MATCH FULL' ELSE '' END
                || \(Self.action("UPDATE", "q.confupdtype")) || \(Self.action("DELETE", "q.confdeltype"))
                || CASE WHEN q.condeferrable THEN ' DEFERRABLE' ELSE '' END
                || CASE WHEN q.condeferred THEN ' INITIALLY DEFERRED' ELSE '' END
        ) AS object
        FROM pg_constraint q
        WHERE \(table) = \(relation) AND q.contype = 'f' AND \(number) = ANY (\(columns))
        """
    }

    private var sharedAnswer: String {
        """
        SELECT a.attname AS name, to_json(a.attname) AS object FROM pg_attribute a
        WHERE a.attrelid = \(relation) AND a.attnum > 0 AND a.attnum <> \(number) AND a.attname NOT LIKE 'sluice\\_%' AND (
            EXISTS (SELECT FROM pg_constraint q
                WHERE q.conrelid = a.attrelid AND a.attnum = ANY (q.conkey) AND \(number) = ANY (q.conkey))
            OR EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass
                AND d.refclassid = 'pg_class'::regclass AND d.refobjid = a.attrelid AND d.refobjsubid = a.attnum
                AND d.objid IN (SELECT indexrelid FROM pg_index WHERE indrelid = a.attrelid)
                AND d.objid IN (\(dependents("pg_class")))))
        """
    }

    private static func name(of relation: String) -> String {
        """
        (SELECT json_build_object('schema', n.nspname, 'name', t.relname)
            FROM pg_class t JOIN pg_namespace n ON n.oid = t.relnamespace WHERE t.oid = \(relation))
        """
    }

    private static func names(_ relation: String, _ numbers: String) -> String {
        """
        (SELECT json_agg(a.attname ORDER BY k.place) FROM unnest(\(numbers)) WITH ORDINALITY AS k(attnum, place)
            JOIN pg_attribute a ON a.attrelid = \(relation) AND a.attnum = k.attnum)
        """
    }

    private static func action(_ event: String, _ code: String) -> String {
        """
        coalesce(' ON \(event) ' || CASE \(code) WHEN 'r' THEN 'RESTRICT' WHEN 'c' THEN 'CASCADE'
            WHEN 'n' THEN 'SET NULL' WHEN 'd' THEN 'SET DEFAULT' END, '')
        """
    }

    /// A bound that its type gives a sequence is left out, so that another type gives it another one.
    private var sequenceAnswer: String {
        """
        SELECT json_build_object(
            'name', \(Self.name(of: "s.seqrelid")), 'type', format_type(s.seqtypid, NULL),
            'identity', CASE a.attidentity WHEN 'a' THEN 'ALWAYS' WHEN 'd' THEN 'BY DEFAULT' END,
            'options', ' INCREMENT BY ' || s.seqincrement || ' START WITH ' || s.seqstart || ' CACHE ' || s.seqcache
                || CASE WHEN s.seqcycle THEN ' CYCLE' ELSE '' END
                || CASE WHEN s.seqmax IN (32767, 2147483647, 9223372036854775807, -1) THEN ''
                    ELSE ' MAXVALUE ' || s.seqmax END
                || CASE WHEN s.seqmin IN (-32768, -2147483648, -9223372036854775808, 1) THEN ''
                    ELSE ' MINVALUE ' || s.seqmin END)
        FROM pg_depend d JOIN pg_sequence s ON s.seqrelid = d.objid
        JOIN pg_attribute a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid
        WHERE d.classid = 'pg_class'::regclass AND d.refclassid = 'pg_class'::regclass AND d.deptype IN ('a', 'i')
            AND d.refobjid = \(relation) AND d.refobjsubid = \(number)
        LIMIT 1
        """
    }
}
