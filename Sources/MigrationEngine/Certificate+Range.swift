public import Backfill
internal import SchemaChange

extension Certificate {
    /// The rows of one table between two keys, as they were when they were compared.
    public struct Range: Sendable, Hashable, Codable {
        /// Which comparison of the plan's it is of: see ``ComparedWalk/name``.
        public var comparison: String
        public var table: String
        /// The key after which it begins, a text for each of its columns; nil for the table's start.
        public var after: [String]?
        /// The key with which it ends; nil for the table's end.
        public var upTo: [String]?
        public var rows: Int64
        public var oldSide: Int64
        public var newSide: Int64
        /// The XOR of its rows' digests, 16 hexadecimal digits; nil where a part of it was compared by a version that made none.
        public var digest: String?

        /// So many in one certificate.
        public static let limit = 64

        public var span: KeySpan { KeySpan(after: after, upTo: upTo) }

        /// Whether the rows that are there now are the same.
        public func isAsFound(_ tally: ChunkTally) -> Bool? {
            digest.map { $0 == tally.digest.map(Self.hexadecimal) && rows == tally.rows }
        }

        /// Ranges of one table, in the order of their keys, each several of the walk's when there are more than `limit`.
        static func of(_ walked: [WalkedRange], _ walk: ComparedWalk, limit: Int) -> [Range] {
            let size = max(1, (walked.count - 1) / max(1, limit) + 1)
            return stride(from: 0, to: walked.count, by: size).map { start in
                let part = walked[start..<min(start + size, walked.count)]
                let tally = part.reduce(into: ChunkTally()) { $0 += $1.tally }
                return Range(
                    comparison: walk.name, table: walk.table.description, after: part.first?.span.after,
                    upTo: part.last?.span.upTo, rows: tally.rows, oldSide: tally.oldSide, newSide: tally.newSide,
                    digest: tally.digest.map(hexadecimal))
            }
        }

        private static func hexadecimal(_ digest: Int64) -> String {
            let digits = String(UInt64(bitPattern: digest), radix: 16)
            return String(repeating: "0", count: 16 - digits.count) + digits
        }
    }
}
