internal import Backfill
internal import Crypto
internal import Foundation

/// What a certificate says of itself. All of it is pure.
extension Certificate {
    /// The same, with its checksum.
    func sealed() throws -> Certificate {
        var sealed = self
        sealed.checksum = try contentChecksum
        return sealed
    }

    private var contentChecksum: String {
        get throws {
            var content = self
            content.checksum = nil
            let digest = SHA256.hash(data: Data(try LedgerJSON.encode(content).utf8))
            return "sha256:" + digest.map { String(format: "%02x", $0) }.joined()
        }
    }

    /// What of it cannot be: it was changed, or is another migration's. Nil where nothing is wrong, and of one that says
    /// nothing of itself since it is of an older version.
    func flaw(of migration: String) throws -> String? {
        guard let checksum else { return nil }
        guard try checksum == contentChecksum else {
            return "the certificate is not as it was issued: its checksum does not fit"
        }
        guard migration == self.migration else {
            return "the certificate was issued to another migration, \(self.migration ?? "nobody")"
        }
        if baseline == true { return nil }
        guard let ranges, Self.areWhole(ranges), isSum(of: ranges) else {
            return "the ranges of the certificate are not all that was compared"
        }
        return nil
    }

    /// Why what is left of the walk that it is the result of does not say the same; nil where it does.
    ///
    /// - Parameter walked: what the checkpoints of that walk say; nil where it is not at its end. An older version's has no
    ///   digests.
    func flaw(against walked: [Range]?) -> String? {
        let isSame =
            if checksum != nil {
                walked == ranges
            } else if let walked {
                walked.allSatisfy { $0.digest == nil } && isSum(of: walked)
            } else {
                false
            }
        return isSame
            ? nil : "the ledger's checkpoints of the verification are not those of the certificate, or are gone"
    }

    private func isSum(of ranges: [Range]) -> Bool {
        func sum(_ part: (Range) -> Int64) -> Int64 { ranges.reduce(0) { $0 &+ part($1) } }
        return rowsCompared == sum(\.rows) && oldSide == sum(\.oldSide) && newSide == sum(\.newSide)
    }

    private static func areWhole(_ ranges: [Range]) -> Bool {
        Dictionary(grouping: ranges, by: \.comparison).values.allSatisfy { RowSpan.areWhole($0.map(\.span)) }
    }
}
