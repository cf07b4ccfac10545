/// What the database holds that depends on a column, as it has to be for the column that takes its place.
///
/// PostgreSQL writes the definitions: see ``DependentsProbe``.
public struct ColumnDependents: Codable, Hashable, Sendable {
    /// An index over the column, or one that a constraint rests on.
    public struct Index: Codable, Hashable, Sendable {
        public var name: String
        public var isUnique: Bool
        /// What follows the table's name in its definition, with the new column in place of the old one: ` USING btree (…)`.
        public var tail: String
        /// The unique constraint that it serves, if it does.
        public var constraint: Constraint?
        public var isClustered: Bool
        public var isReplicaIdentity: Bool
        public var comment: String?
    }

    public struct Constraint: Codable, Hashable, Sendable {
        public var name: String
        public var isPrimary: Bool
        /// Of the table, in order, the old one among them.
        public var columns: [String]
        /// ` DEFERRABLE INITIALLY DEFERRED`, or nothing.
        public var timing: String
        public var comment: String?
    }

    /// A CHECK, with the new column in place of the old one.
    public struct Check: Codable, Hashable, Sendable {
        public var name: String
        /// `CHECK ((length(…) > 3))`
        public var definition: String
        public var isValidated: Bool
        public var comment: String?
    }

    public struct ForeignKey: Codable, Hashable, Sendable {
        public var name: String
        /// Whose it is.
        public var table: TableName
        public var columns: [String]
        public var referred: TableName
        public var referredColumns: [String]
        /// What follows: ` ON DELETE CASCADE DEFERRABLE`.
        public var options: String
        public var isValidated: Bool
        public var comment: String?
    }

    /// What is made again by the statements that it was made by, once its column has changed behind the name.
    public struct Restated: Codable, Hashable, Sendable {
        /// `view public.v`
        public var description: String
        public var statements: [String]
    }

    /// What gives the column its values.
    public struct Sequence: Codable, Hashable, Sendable {
        public var name: TableName
        /// `ALWAYS`, `BY DEFAULT`, or nil where it is no identity column's.
        public var identity: String?
        /// ` INCREMENT BY 1 START WITH 1 …`, what is as the type has it left out.
        public var options: String
        /// `integer`
        public var type: String
    }

    public var indexes: [Index]
    public var checks: [Check]
    /// The column's own.
    public var foreignKeys: [ForeignKey]
    /// Those that refer to it, also of its own table.
    public var referring: [ForeignKey]
    public var sequence: Sequence?
    /// Views, policies, triggers and statistics of others.
    public var restated: [Restated]
    /// Statements that give the new column the old one's comment, grants and storage settings.
    public var settings: [String]
    /// Everything that depends on the column, see ``KnownDependents``.
    public var known: [String]
    /// The other columns of the table that an index, a check or a key is over together with this one.
    public var shared: [String]
    /// What cannot be carried over, each with its reason, for people.
    public var obstacles: [String]
}
