internal import PostgreSQL
internal import SchemaChange

/// Room on disk, by a query of the user's.
struct DiskSpace: ThrottleSignal {
    let reason = "DiskSpace"
    let setting = "disk"
    let probe: DiskProbe

    var statement: PostgresStatement { PostgresStatement(probe.query) }

    func finding(in rows: [PostgresRow], at now: ContinuousClock.Instant) throws -> String? {
        guard let text = rows.first?[0], let free = Double(text), free.isFinite else {
            throw Unreadable(what: "the room on disk: its query answers no number")
        }
        let bytes = Int64(max(0, min(free, 0x1p62)))
        guard bytes < probe.minFree.bytes else { return nil }
        return "\(SpecByteCount(bytes).rounded) are left on disk (the limit is \(probe.minFree.rounded))"
    }
}
