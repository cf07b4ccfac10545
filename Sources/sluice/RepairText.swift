import MigrationEngine
import SchemaChange

/// What `sluice verify --repair-sql` writes, for psql.
enum RepairText {
    static func of(_ repairs: [RowRepair], name: MigrationName, schema: String) -> String {
        let head = """
            -- Rows of \(name.description.printable) that are not as their side says ('o': version 1 wrote last, 'n': version 2).
            -- Nothing was run. Look at each row before you mend it.
            SET search_path = \(SearchPath.of(schema));
            """
        let parts = repairs.map { repair in
            let update = repair.update.map {
                """
                -- Where the old columns are right: those of version 1 whose old columns stay as they are by it.
                \($0);
                """
            }
            return """
                -- \(repair.table.description.printable)
                \(repair.list);
                \(update ?? "-- Which column is right is for you to say.")
                """
        }
        let none = "-- What a worker or the application computes, or stands in another table, is mended by hand."
        return ([head] + (parts.isEmpty ? [none] : parts)).joined(separator: "\n\n")
    }
}
