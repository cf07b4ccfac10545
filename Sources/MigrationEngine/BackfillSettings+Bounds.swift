internal import Backfill
internal import SchemaChange

/// A number of the settings that is too small or too large.
public struct OutOfBounds: Hashable, Sendable {
    /// The field: `spec.backfill.workers`.
    public let path: String
    public let what: String
    public let advice: String
}

extension BackfillSettings {
    /// What is out of bounds, in the order of the fields. The custom resource's schema refuses most of it as well; a file that no
    /// server has seen is checked by this alone.
    public var outOfBounds: [OutOfBounds] {
        var found: [OutOfBounds] = []
        func check<Value: Comparable>(_ field: String, _ value: Value?, _ bounds: ClosedRange<Value>, _ advice: String)
        {
            guard let value, !bounds.contains(value) else { return }
            found.append(OutOfBounds(path: "spec.backfill.\(field)", what: "\(value) is out of bounds", advice: advice))
        }
        func check(_ field: String, _ value: Int64?, from least: Int64) {
            check(field, value, least...Int64.max, "choose \(least) or more")
        }
        if let text = chunkDuration, !(.milliseconds(1) ... .seconds(60)).contains(text.duration) {
            found.append(
                OutOfBounds(
                    path: "spec.backfill.chunkDuration", what: "\(text) is out of bounds",
                    advice: "choose between 1ms and 60s; 40ms is usual"))
        }
        check("workers", workers, 1...16, "choose from 1 to 16")
        guard let throttle else { return found }
        check("throttle.maxSnapshotAge", throttle.maxSnapshotAge?.value, from: 0)
        check("throttle.maxDeadRows", throttle.maxDeadRows?.value, from: 0)
        check("throttle.maxRowsPerSecond", throttle.maxRowsPerSecond, from: 1)
        check("throttle.share", throttle.share, 1...100, "choose from 1 to 100 percent")
        check("throttle.serverWorkers", throttle.serverWorkers, 1...64, "choose from 1 to 64")
        return found
    }
}
