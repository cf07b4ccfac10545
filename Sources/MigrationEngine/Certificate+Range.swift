public import Backfill
internal import SchemaChange

extension Certificate {
    /// The rows of one table between two keys, or on some pages of one file, as they were when they were compared.
    public struct Range: Sendable, Hashable, Codable {
        /// Which comparison of the plan's it is of: see ``ComparedWalk/name``.
        public var comparison: String
        public var table: String
        /// Whose pages they are; nil where it is one of keys.
        public var file: HeapFile?
        /// The key after which it begins, a text for each of its columns, or the number of its first page; nil for the table's
        /// start, or the file's.
        public var after: [String]?
        /// The key with which it ends, or the number of the page before which it does; nil for the end.
        public var upTo: [String]?
        public var rows: Int64
        public var oldSide: Int64
        public var newSide: Int64
        /// The XOR of its rows' digests, 16 hexadecimal digits; nil where a part of it was compared by a version that made none.
        public var digest: String?

        /// About so many in one certificate: of each file there is one at least.
        public static let limit = 64

        public var span: RowSpan { RowSpan(file: file, after: after, upTo: upTo) }

        /// Whether the rows that are there now are the same.
        public func isAsFound(_ tally: ChunkTally) -> Bool? {
            digest.map { $0 == tally.digest.map(Self.hexadecimal) && rows == tally.rows }
        }

        /// Whether all rows of a comparison are what they were, wherever they are now; nil where that is not known.
        static func isUnchanged(_ ranges: [Range], _ found: [ChunkTally]) -> Bool? {
            let tally = found.reduce(into: ChunkTally()) { $0 += $1 }
            let digests = ranges.compactMap { $0.digest.flatMap { UInt64($0, radix: 16) } }
            guard !ranges.isEmpty, digests.count == ranges.count, let digest = tally.digest else { return nil }
            return ranges.reduce(0) { $0 + $1.rows } == tally.rows
                && digests.reduce(0, ^) == UInt64(bitPattern: digest)
        }

        /// Ranges of one table, in their order, each several of the walk's when there are more than `limit`.
        static func of(_ walked: [WalkedRange], _ walk: ComparedWalk, limit: Int) -> [Range] {
            let size = max(1, (walked.count - 1) / max(1, limit) + 1)
            let files = walked.map(\.span.file).reduce(into: [HeapFile?]()) { if !$0.contains($1) { $0.append($1) } }
            return files.flatMap { file in
                let ofFile = walked.filter { $0.span.file == file }
                return stride(from: 0, to: ofFile.count, by: size).map { start in
                    let part = ofFile[start..<min(start + size, ofFile.count)]
                    let tally = part.reduce(into: ChunkTally()) { $0 += $1.tally }
                    return Range(
                        comparison: walk.name, table: walk.table.description, file: file,
                        after: part.first?.span.after, upTo: part.last?.span.upTo, rows: tally.rows,
                        oldSide: tally.oldSide, newSide: tally.newSide, digest: tally.digest.map(hexadecimal))
                }
            }
        }

        private static func hexadecimal(_ digest: Int64) -> String {
            let digits = String(UInt64(bitPattern: digest), radix: 16)
            return String(repeating: "0", count: 16 - digits.count) + digits
        }
    }
}
