import SchemaChange

/// What a Migration keeps, once it is contracted, that one after it may have to wait for.
///
/// The engine's rule: a Migration that takes a column's place, or takes a table whole, does not begin while an archive is
/// kept that names the same column, or is of the same table. In a chain that would be for as long as `keepFor`.
struct Archives: Hashable, Sendable {
    /// One that is kept of a column.
    struct Column: Hashable, Sendable {
        /// `table.column`, as are those that its triggers name.
        var column: String
        var touches: Set<String>
        /// Whether it could be changed in place instead, and so keep nothing.
        var couldBeInPlace: Bool
    }

    var columns: [Column] = []
    /// The tables that are kept as a whole, by the names that they had.
    var droppedTables: Set<String> = []
    /// The tables that are taken whole: dropped, or renamed.
    var wholeTables: Set<String> = []
    /// The tables that are made.
    var newTables: Set<String> = []
    /// Every table that the Migration touches.
    var tables: Set<String> = []

    var isEmpty: Bool { columns.isEmpty && droppedTables.isEmpty }
}

/// What is done so that no Migration of a chain has to wait for the archive of another.
struct ChainConflicts: Hashable, Sendable {
    /// For each file by its place: the columns, `table.column`, that it changes in place instead.
    var inPlace: [Int: Set<String>] = [:]
    /// The files that keep no archive, by their place, each with the file for which it has to be gone.
    var withoutArchive: [Int: Int] = [:]

    /// Takes in what the archives of the files show. Where nothing changes, nothing waits any more.
    mutating func resolve(_ archives: [Archives]) {
        for later in archives.indices {
            for earlier in archives.indices.prefix(later) where withoutArchive[earlier] == nil {
                resolve(earlier, archives[earlier], later, archives[later])
            }
        }
    }

    private mutating func resolve(_ earlier: Int, _ kept: Archives, _ later: Int, _ next: Archives) {
        guard !kept.isEmpty else { return }
        let isWhole =
            !next.wholeTables.isDisjoint(with: kept.tables) || !next.newTables.isDisjoint(with: kept.droppedTables)
        if isWhole {
            if kept.droppedTables.isEmpty, kept.columns.allSatisfy(\.couldBeInPlace) {
                inPlace[earlier, default: []].formUnion(kept.columns.map(\.column))
            } else {
                withoutArchive[earlier] = later
            }
            return
        }
        for archive in kept.columns {
            guard let other = next.columns.first(where: { archive.touches.contains($0.column) }) else { continue }
            if archive.couldBeInPlace {
                inPlace[earlier, default: []].insert(archive.column)
            } else if other.couldBeInPlace {
                inPlace[later, default: []].insert(other.column)
            } else {
                withoutArchive[earlier] = later
            }
        }
    }
}
