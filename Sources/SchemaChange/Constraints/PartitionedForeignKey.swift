/// A foreign key of a partitioned table before PostgreSQL 18, which has no `NOT VALID` for it.
///
/// So each partition gets one of its own in two steps, and then the table: it takes over those of its partitions that say
/// the same and are validated, without a look at their rows. With the table's they all go.
struct PartitionedForeignKey {
    let table: TableName
    let name: String
    /// `FOREIGN KEY (…) REFERENCES …`
    let definition: String

    /// Nil where PostgreSQL does it in one.
    init?(_ name: String, _ definition: String, of table: TableDescription) {
        guard table.isPartitioned, !table.namesRequirements else { return nil }
        (self.table, self.name, self.definition) = (table.name, name, definition)
    }

    private var constraint: String { name.quotedIdentifier }

    /// Whether a partition has one that was never taken over.
    private func isOwn(_ condition: String = "true") -> String {
        """
        EXISTS (SELECT FROM pg_constraint q WHERE q.conrelid = p.relid AND q.conname = \(name.quotedLiteral)
            AND q.contype = 'f' AND q.conparentid = 0 AND \(condition))
        """
    }

    private func forEach(_ condition: String, _ body: String) -> String {
        let block = """
            DECLARE
                part regclass;
            BEGIN
            FOR part IN SELECT p.relid FROM (\(PartitionTree.leaves(of: "\(table.quoted.quotedLiteral)::regclass"))) AS p
                WHERE \(condition) ORDER BY 1
            LOOP
                \(body)
            END LOOP;
            END
            """
        return "DO \(block.quotedLiteral)"
    }

    private func alterEach(_ condition: String, _ clause: String) -> String {
        forEach(condition, "EXECUTE 'ALTER TABLE ' || part || \(" \(clause)".quotedLiteral);")
    }

    /// For what is written from now on.
    var addToEach: String { alterEach("true", "ADD CONSTRAINT \(constraint) \(definition) NOT VALID") }
    var dropFromEach: String { alterEach(isOwn(), "DROP CONSTRAINT \(constraint)") }
    /// For the rows that are there.
    var validateEach: String { alterEach(isOwn("NOT q.convalidated"), "VALIDATE CONSTRAINT \(constraint)") }

    /// A partition that has come meanwhile would be looked at while nobody may write.
    var add: [String] {
        let message =
            "partition % of \(table.description.inFormat) has come meanwhile: add \(name.inFormat) to it NOT VALID, "
            + "VALIDATE it, and this goes on"
        return [
            forEach(
                "pg_relation_size(p.relid) > 1048576 AND NOT \(isOwn("q.convalidated"))",
                "RAISE EXCEPTION \(message.quotedLiteral), part USING ERRCODE = 'object_not_in_prerequisite_state';"),
            "ALTER TABLE \(table.quoted) ADD CONSTRAINT \(constraint) \(definition)",
            Self.refuseOthers(name, of: table),
        ]
    }

    /// Once the table has it: an error where PostgreSQL has taken over another one of a partition's that says the same, since
    /// that would go with the table's. It was made after the plan, which refuses it.
    static func refuseOthers(_ name: String, of table: TableName) -> String {
        let message =
            "partition % of \(table.description.inFormat) has a foreign key of its own that says the same as \(name.inFormat), "
            + "and would become a part of that: drop % there, and this goes on"
        let block = """
            DECLARE
                other record;
            BEGIN
                WITH RECURSIVE part AS (
                    SELECT oid, conrelid, confrelid, conname FROM pg_constraint
                    WHERE contype = 'f' AND conname = \(name.quotedLiteral) AND conrelid = \(table.quoted.quotedLiteral)::regclass
                    UNION ALL
                    SELECT q.oid, q.conrelid, q.confrelid, q.conname
                    FROM part JOIN pg_constraint q ON q.conparentid = part.oid AND q.confrelid = part.confrelid
                )
                SELECT conrelid::regclass AS place, conname INTO other FROM part
                WHERE conname <> \(name.quotedLiteral) ORDER BY 1 LIMIT 1;
                IF FOUND THEN
                    RAISE EXCEPTION \(message.quotedLiteral), other.place, other.conname
                        USING ERRCODE = 'object_not_in_prerequisite_state';
                END IF;
            END
            """
        return "DO \(block.quotedLiteral)"
    }

    var drop: String { "ALTER TABLE \(table.quoted) DROP CONSTRAINT IF EXISTS \(constraint)" }
}

extension String {
    /// As text of a format of `RAISE`.
    fileprivate var inFormat: String { replacing("%", with: "%%") }
}
