/// Two shapes of the same data in one table, both kept right while both versions of an application write.
///
/// `forward` computes each new column from the row's old side, `backward` each old column from its new side. Which side
/// a row follows stands in its **marker** column: NULL not yet filled, `o` the old side was written last, `n` the new.
public struct Mapping: Codable, Hashable, Sendable {
    public let table: TableName
    /// Tells this mapping's objects in the database from others': eight hexadecimal digits.
    public let token: String
    /// The columns whose writers are the old version. Empty when the new columns stand beside the old ones for good.
    public let old: [Column]
    public let new: [Column]
    /// One expression for each new column, by its name.
    public let forward: [String: String]
    /// One expression for each old column, by its name.
    public let backward: [String: String]
    /// Instead of ``backward`` from Contract on, by the old column's name, where the old type cannot hold every new value: NULL
    /// for those that it cannot.
    let archivedBackward: [String: String]?
    /// Every column that an expression names, old and new ones included.
    public let named: [Column]
    /// New columns that may not be NULL once the migration is verified.
    public let notNull: [String]
    /// The key by which the table is walked.
    public let key: [Column]
    /// Who computes the new columns instead of `forward`, which is empty then. Rows without a side are no mistake there:
    /// they have still to be asked about.
    public let remote: RemoteForward?
    /// What ``remote`` is given, where there are no old columns.
    private let given: [Column]?
    /// The same of one partition of its table.
    public func of(_ partition: TableName) -> Mapping {
        Mapping(
            table: partition, token: token, old: old, new: new, forward: forward, backward: backward, named: named,
            notNull: notNull, key: key, remote: remote, given: given, writer: writer)
    }

    /// Who writes both sides: the database, unless it is said. Then the marker may also be `m` or `d`, see ``CheckedRow``.
    public let writer: DualWriter?

    public init(
        table: TableName,
        token: String,
        old: [Column],
        new: [Column],
        forward: [String: String],
        backward: [String: String],
        named: [Column],
        notNull: [String],
        key: [Column],
        remote: RemoteForward? = nil,
        given: [Column]? = nil,
        writer: DualWriter? = nil,
        archivedBackward: [String: String]? = nil
    ) {
        self.table = table
        self.token = token
        self.old = old
        self.new = new
        self.forward = forward
        self.backward = backward
        self.named = named
        self.notNull = notNull
        self.key = key
        self.remote = remote
        self.given = given
        self.writer = writer
        self.archivedBackward = archivedBackward
    }

    /// The columns of which ``remote`` computes the new ones.
    public var inputs: [Column] { given ?? old }

    var isWrittenByApplication: Bool { writer == .application }

    /// The column that says which side a row follows.
    public var marker: String {
        "sluice_side_\(token)"
    }

    /// From which side an expression computes the other.
    enum Direction {
        case forward, backward
    }

    /// Names that an old and a new column share: `forward` means the old one by it, `backward` the new.
    var sharedNames: Set<String> {
        Set(new.filter { $0.interim != nil }.map(\.name))
    }

    /// What an old column is called once it is in the archive.
    public func archived(_ column: Column) -> String {
        Self.archivedName(token: token, index: old.firstIndex(of: column)!)
    }

    /// What the column at `index` of those that a change takes away is called in the archive.
    static func archivedName(token: String, index: Int) -> String {
        "sluice_archive_\(token)_\(index + 1)"
    }

    /// What the new column at `index` is called until Contract, if an old one has its name.
    static func interimName(token: String, index: Int) -> String {
        "sluice_new_\(token)_\(index + 1)"
    }

    /// Whether a row keeps to its side, as an SQL condition that is true where it does **not**. Compared as images, see
    /// ``RowImage``.
    ///
    /// Where a worker computes the new side, what it computed cannot be seen here, and is taken for right. Where the
    /// application writes both, a row is right when either side follows from the other.
    public var violation: String {
        let backwardImage = old.isEmpty ? "false" : image(old.map(backwardValue), of: old)
        if remote != nil {
            let nulls = required.map { " OR \(marker.quotedIdentifier) IS NOT NULL AND \($0.stored) IS NULL" }
            return "(\(marker.quotedIdentifier) = 'n' AND \(backwardImage)\(nulls.joined()))"
        }
        let forwardImage = image(new.map { "(\(forward[$0.name]!))::\($0.type)" }, of: new)
        let nulls = required.map { " OR \($0.stored) IS NULL" }.joined()
        if isWrittenByApplication {
            return "(\(marker.quotedIdentifier) IS NULL OR \(backwardImage) AND \(forwardImage)\(nulls))"
        }
        return """
            (CASE \(marker.quotedIdentifier) WHEN 'o' THEN \(forwardImage) \
            WHEN 'n' THEN \(backwardImage) ELSE true END\(nulls))
            """
    }

    /// What makes its triggers those for when all rows are filled; nothing where that is no difference.
    public var settle: [String] {
        isAdopted ? DualWriteTriggers(mapping: self, isFilled: true).settle : []
    }

    /// Whether a row that was written past the triggers is given the side that it shows, once all others were filled.
    public var isAdopted: Bool { !new.isEmpty && remote == nil && !isWrittenByApplication }

    /// The rows that somebody has to see to once all are filled, as an SQL condition: few, and ``WatchIndex`` finds them.
    /// Nil where triggers leave none.
    public var watched: String? {
        if remote != nil { return "\(marker.quotedIdentifier) IS NULL" }
        return isWrittenByApplication ? "(\(marker.quotedIdentifier) IN ('o', 'n')) IS NOT TRUE" : nil
    }

    /// The new columns that may not be NULL once the migration is verified.
    public var required: [Column] {
        new.filter { notNull.contains($0.name) }
    }

    /// What an old column should be, where a shared name means the new one.
    private func backwardValue(_ column: Column) -> String {
        let value = "(\(backward[column.name]!))::\(column.type)"
        let shared = new.filter { sharedNames.contains($0.name) }.map { "\($0.stored) AS \($0.quoted)" }
        guard !shared.isEmpty else { return value }
        return "(SELECT \(value) FROM (SELECT \(shared.joined(separator: ", "))) AS sluice_row)"
    }

    private func image(_ expressions: [String], of columns: [Column]) -> String {
        RowImage.differs(columns, present: columns.map(\.stored), derived: expressions)
    }
}
