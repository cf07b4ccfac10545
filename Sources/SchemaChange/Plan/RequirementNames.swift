/// What NOT NULL is called, since PostgreSQL 18 gives it a name: with a column that takes another's name goes what its NOT NULL
/// was called, and what is in the archive makes room.
struct RequirementNames {
    private struct Shared {
        let column: Column
        let interim: String
        let archived: String
        /// Of the old column, if it is NOT NULL.
        let old: String?
        /// Of the new one from Contract on; nil where it is not NOT NULL by then.
        let new: String?
    }

    private let table: TableName
    private let shared: [Shared]

    init(of mapping: Mapping, old: [TableDescription.ColumnDescription]) {
        table = mapping.table
        let taking = mapping.new.filter { $0.interim != nil }
        shared = taking.enumerated().map { index, column in
            let name = old.first { $0.name == column.name }?.requirement
            let isRequired = mapping.remote == nil && mapping.notNull.contains(column.name)
            return Shared(
                column: column, interim: "sluice_new_\(mapping.token)_n\(index + 1)",
                archived: "sluice_archive_\(mapping.token)_n\(index + 1)", old: name,
                new: isRequired ? name ?? Self.standard(mapping.table.name, column.name) : nil)
        }
    }

    /// That of a new column until it has its name.
    func interim(of column: Column) -> String? {
        shared.first { $0.column == column }?.interim
    }

    /// That of an old column in the archive, if another one has its name then.
    func archived(of column: Column) -> String? {
        shared.first { $0.column.name == column.name }?.archived
    }

    var swap: [String] {
        shared.flatMap { column in
            (column.old.map { [rename($0, column.archived)] } ?? [])
                + (column.new.map { [rename(column.interim, $0)] } ?? [])
        }
    }

    var swapBack: [String] {
        shared.flatMap { column in
            (column.new.map { [rename($0, column.interim)] } ?? [])
                + (column.old.map { [rename(column.archived, $0)] } ?? [])
        }
    }

    private func rename(_ from: String, _ to: String) -> String {
        "ALTER TABLE \(table.quoted) RENAME CONSTRAINT \(from.quotedIdentifier) TO \(to.quotedIdentifier)"
    }

    /// As PostgreSQL itself would call it: of names that are too long together, the longer one is cut (`makeObjectName` in
    /// its `indexcmds.c`).
    static func standard(_ table: String, _ column: String) -> String {
        let room = 63 - "__not_null".utf8.count
        var (first, second) = (table.utf8.count, column.utf8.count)
        while first + second > room {
            if first > second { first -= 1 } else { second -= 1 }
        }
        return "\(table.cut(to: first))_\(column.cut(to: second))_not_null"
    }
}

extension String {
    /// At most so many bytes, and no half of a character.
    fileprivate func cut(to bytes: Int) -> String {
        var result = UnicodeScalarView()
        var left = bytes
        for scalar in unicodeScalars {
            left -= UTF8.width(scalar)
            guard left >= 0 else { break }
            result.append(scalar)
        }
        return String(result)
    }
}
