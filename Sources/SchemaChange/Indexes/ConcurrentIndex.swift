/// An index that is built while others write, and taken away so.
///
/// It is built under a name of ours and gets its own one with the ledger's note that it is there. So what a killed worker
/// left is known for ours, and never taken for another's or another's for ours.
public struct ConcurrentIndex: Codable, Hashable, Sendable {
    public let table: TableName
    /// `sluice_…`: what it is called until it is valid.
    public let builtAs: String
    /// What it is called afterwards; nil where it keeps the first name, or goes over to a constraint.
    public let name: String?
    public let isUnique: Bool
    /// From `USING` on, as `pg_get_indexdef` ends.
    public let definition: String
    /// Nil for that of the database.
    public let tablespace: String?
    /// Once it is valid, in one transaction with the note: it gets its name, or becomes a constraint.
    public let finish: [String]
    /// Before it is gone: takes the constraint away that it has become.
    public let unfinish: [String]
    /// Of an index of a partitioned table: what that of each partition is called, by the partition, quoted. One that is not
    /// named gets a name of its own. Nil for a table that has no partitions.
    public let partitions: [String: String]?

    init(
        table: TableName, builtAs: String, name: String? = nil, isUnique: Bool = false, definition: String,
        tablespace: String? = nil, finish: [String] = [], unfinish: [String] = [], partitions: [String: String]? = nil
    ) {
        self.table = table
        self.builtAs = builtAs
        self.name = name
        self.isUnique = isUnique
        self.definition = definition
        self.tablespace = tablespace
        self.finish = finish
        self.unfinish = unfinish
        self.partitions = partitions
    }

    /// A plain one that is called `name` in the end; `extras` follow.
    static func named(
        _ name: String, of table: TableName, token: String, isUnique: Bool, definition: String,
        tablespace: String? = nil, extras: [String] = [], partitions: [String: String]? = nil
    ) -> ConcurrentIndex {
        let temporary = builtAs(token)
        let qualified = table.schema.quotedIdentifier + "." + temporary.quotedIdentifier
        return ConcurrentIndex(
            table: table, builtAs: temporary, name: name, isUnique: isUnique, definition: definition,
            tablespace: tablespace,
            finish: ["ALTER INDEX \(qualified) RENAME TO \(name.quotedIdentifier)"] + extras,
            partitions: partitions)
    }

    /// One that becomes the constraint `name`, `UNIQUE` or `PRIMARY KEY`, in the end; `extras` follow.
    static func constraint(
        _ name: String, _ kind: String, of table: TableName, token: String, definition: String,
        deferral: String = "", tablespace: String? = nil, extras: [String] = []
    ) -> ConcurrentIndex {
        let alter = "ALTER TABLE \(table.quoted)"
        let temporary = builtAs(token)
        let using = "\(kind) USING INDEX \(temporary.quotedIdentifier)\(deferral)"
        return ConcurrentIndex(
            table: table, builtAs: temporary, isUnique: true, definition: definition, tablespace: tablespace,
            finish: ["\(alter) ADD CONSTRAINT \(name.quotedIdentifier) \(using)"] + extras,
            unfinish: ["\(alter) DROP CONSTRAINT IF EXISTS \(name.quotedIdentifier)"])
    }

    /// The index of a unique constraint over plain columns, as ``definition``.
    static func key(_ columns: [String]) -> String {
        "USING btree (\(columns.quotedList))"
    }

    private static func builtAs(_ token: String) -> String { "sluice_index_\(token)" }

    /// Outside of a transaction. Of a partitioned table see ``create(on:as:)``.
    public var create: String {
        create(on: table.quoted, as: builtAs, "CONCURRENTLY ")
    }

    /// That of one partition, outside of a transaction.
    public func create(on partition: TableName, as name: String) -> String {
        create(on: partition.quoted, as: name, "CONCURRENTLY ")
    }

    /// Of a table that has partitions, or a partition that does: it is valid once all of theirs are attached to it.
    public func createEmpty(on table: TableName, as name: String) -> String {
        create(on: "ONLY \(table.quoted)", as: name, "")
    }

    private func create(on table: String, as name: String, _ option: String) -> String {
        "CREATE \(isUnique ? "UNIQUE " : "")INDEX \(option)\(name.quotedIdentifier) ON \(table) \(placed)"
    }

    /// The definition with its tablespace, which stands before the condition.
    private var placed: String {
        guard let tablespace else { return definition }
        let bytes = Array(definition.utf8)
        var depth = 0
        let condition = SQLLexer.read(bytes).lexemes.first { lexeme in
            if lexeme.isSign("(") { depth += 1 }
            if lexeme.isSign(")") { depth -= 1 }
            return depth == 0 && lexeme.word == "where"
        }
        let place = condition?.range.lowerBound ?? bytes.count
        return String(decoding: bytes[..<place], as: UTF8.self) + " TABLESPACE \(tablespace.quotedIdentifier) "
            + String(decoding: bytes[place...], as: UTF8.self)
    }

    /// What of it may be there, under either name, goes. Outside of a transaction, one by one; of a partitioned table in one,
    /// for which there is no other way.
    public var drop: [String] { [builtAs, name].compactMap { $0 }.map(dropping) }

    /// What is left of one that was not finished.
    public var dropUnfinished: String { dropping(builtAs) }

    private func dropping(_ name: String) -> String {
        let option = partitions == nil ? "CONCURRENTLY " : ""
        return "DROP INDEX \(option)IF EXISTS \(table.schema.quotedIdentifier).\(name.quotedIdentifier)"
    }

    /// What builds it, for people.
    public var building: [String] {
        guard partitions != nil else { return [create] + finish }
        return [createEmpty(on: table, as: builtAs)]
            + [
                "-- on each partition: " + create(on: "…", as: "…", "CONCURRENTLY "),
                "-- and then: ALTER INDEX \(builtAs.quotedIdentifier) ATTACH PARTITION …",
            ] + finish
    }
}

extension TableDescription.Index {
    /// What brings back besides its definition, once it has its name again.
    func extras(of table: TableName) -> [String] {
        let qualified = "\(table.schema.quotedIdentifier).\(name.quotedIdentifier)"
        let alter = "ALTER TABLE \(table.quoted)"
        var extras = statistics.map { "ALTER INDEX \(qualified) ALTER COLUMN \($0.column) SET STATISTICS \($0.target)" }
        if let comment { extras.append("COMMENT ON INDEX \(qualified) IS \(comment.quotedLiteral)") }
        if isClustered { extras.append("\(alter) CLUSTER ON \(name.quotedIdentifier)") }
        if isReplicaIdentity { extras.append("\(alter) REPLICA IDENTITY USING INDEX \(name.quotedIdentifier)") }
        return extras
    }
}
