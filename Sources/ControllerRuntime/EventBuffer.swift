internal import Foundation
internal import KubernetesClient

/// Events on their way to the server: a bounded queue, and what was told lately.
struct EventBuffer {
    /// What happened, apart from when.
    struct Recorded: Hashable {
        var regarding: ObjectReference
        var type: String
        var reason: String
        var action: String
        var note: String
    }

    /// One write: a new event, or a new count of one that is there.
    struct Write: Equatable {
        var event: Recorded
        var name: String
        var count: Int
        var last: Date
    }

    private struct Series {
        var name: String
        var count: Int
        var last: Date
        var isQueued: Bool
    }

    /// How long after the last the same event counts as a repetition.
    static let window: TimeInterval = 6 * 60

    let capacity: Int
    private(set) var dropped = 0
    private var queue: [Recorded] = []
    private var series: [Recorded: Series] = [:]

    /// How many events are kept in mind, on their way or for their repetitions.
    var remembered: Int { series.count }

    init(capacity: Int) {
        self.capacity = capacity
    }

    mutating func record(_ event: Recorded, at now: Date) {
        var event = event
        // The version differs each time; what happened does not.
        event.regarding.resourceVersion = nil
        if var known = series[event], now.timeIntervalSince(known.last) < Self.window {
            known.count += 1
            known.last = now
            if !known.isQueued, queue.count < capacity {
                known.isQueued = true
                queue.append(event)
            }
            series[event] = known
            return
        }
        guard queue.count < capacity else {
            dropped += 1
            return
        }
        if series.count >= capacity {
            series = series.filter { now.timeIntervalSince($0.value.last) < Self.window || $0.value.isQueued }
            // Many different ones in a short time: what is written already is forgotten, and its next time is its first.
            if series.count >= capacity { series = series.filter(\.value.isQueued) }
        }
        queue.append(event)
        series[event] = Series(name: Self.name(event, now), count: 1, last: now, isQueued: true)
    }

    /// The next write. Repetitions that came while it waited are in its count.
    mutating func next() -> Write? {
        while !queue.isEmpty {
            let event = queue.removeFirst()
            guard var known = series[event] else { continue }
            known.isQueued = false
            series[event] = known
            return Write(event: event, name: known.name, count: known.count, last: known.last)
        }
        return nil
    }

    /// From the object's name, and from what happened to it and when: the same try twice makes one event.
    private static func name(_ event: Recorded, _ now: Date) -> String {
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325
        let parts = [
            event.regarding.uid ?? "", event.type, event.reason, event.action, event.note,
            MicroTimestamp(now).description,
        ]
        // FNV-1a: stable over processes, unlike the standard library's hashes.
        for byte in parts.joined(separator: "\u{0}").utf8 {
            hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3
        }
        let digits = String(hash, radix: 16)
        let suffix = String(repeating: "0", count: 16 - digits.count) + digits
        return "\((event.regarding.name ?? "unknown").prefix(230)).\(suffix)"
    }
}
