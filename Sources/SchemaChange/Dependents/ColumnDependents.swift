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
        /// The table's own columns, in order, the old one among them.
        public var columns: [String]
        /// What follows them: ` REFERENCES users(id) ON DELETE CASCADE`.
        public var tail: String
        public var isValidated: Bool
        public var comment: String?
    }

    /// What is made again by the statements that it was made by, once its column has changed behind the name.
    public struct Restated: Codable, Hashable, Sendable {
        /// `view public.v`
        public var description: String
        public var statements: [String]
    }

    public var indexes: [Index]
    public var checks: [Check]
    public var foreignKeys: [ForeignKey]
    /// Views, policies, triggers and statistics of others.
    public var restated: [Restated]
    /// Statements that give the new column the old one's comment, grants and storage settings.
    public var settings: [String]
    /// What cannot be carried over, each with its reason, for people.
    public var obstacles: [String]
}
