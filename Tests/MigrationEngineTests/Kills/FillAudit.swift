import TestSupport

/// A record that the database itself keeps of each row that a backfill fills: a trigger of the test's own, which comes and goes
/// with the row's transaction.
struct FillAudit: Sendable, CustomStringConvertible {
    /// Rows that were filled, for whichever mapping.
    let fills: Int
    /// Of those, how many a second time.
    let twice: Int
    /// How many had a side already: they were their writers'.
    let written: Int
    /// How many were filled by a worker that another had taken over from.
    let stale: Int

    var description: String { "\(fills) fills, \(twice) twice, \(written) of written rows, \(stale) by stale workers" }

    /// Begins it, once there are markers. Nobody but a fill names one in an UPDATE.
    static func begin(on database: EvolvedDatabase) async throws {
        try await database.sql(
            """
            CREATE TABLE fills (number bigserial, id bigint, marker text, before text, epoch bigint);
            CREATE FUNCTION note_fill() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN
                INSERT INTO public.fills (id, marker, before, epoch) VALUES (NEW.id, TG_ARGV[0],
                    to_jsonb(OLD) ->> TG_ARGV[0], split_part(current_setting('application_name'), '/', 4)::bigint);
                RETURN NULL;
            END $$;
            DO $$
            DECLARE marker text;
            BEGIN
                FOR marker IN SELECT attname FROM pg_attribute
                    WHERE attrelid = 'customers'::regclass AND attname LIKE 'sluice\\_side\\_%'
                LOOP
                    EXECUTE format('CREATE TRIGGER %I AFTER UPDATE OF %I ON customers FOR EACH ROW EXECUTE FUNCTION note_fill(%L)',
                        'note_' || marker, marker, marker);
                END LOOP;
            END $$
            """)
    }

    /// An epoch is minted when all that was under way in those before is over, so what is filled later is of a later one.
    static func read(from database: EvolvedDatabase) async throws -> FillAudit {
        let counts = try await database.sql(
            """
            SELECT count(*), count(*) - count(DISTINCT (id, marker)), count(before), count(*) FILTER (WHERE epoch < latest)
            FROM (SELECT *, max(epoch) OVER (ORDER BY number) AS latest FROM fills) fill
            """
        ).split(separator: "|").compactMap { Int($0) }
        guard counts.count == 4 else { throw TestFailure("no audit: \(counts)") }
        return FillAudit(fills: counts[0], twice: counts[1], written: counts[2], stale: counts[3])
    }
}
