internal import Synchronization

/// What a program counts, and the text in which Prometheus reads it.
///
/// The format is Prometheus' text exposition, version 0.0.4.
public final class MetricsRegistry: Sendable {
    /// What `Content-Type` says of ``text()``.
    public static let contentType = "text/plain; version=0.0.4; charset=utf-8"

    /// A number that is looked up when somebody asks.
    public struct Sample: Sendable, Hashable {
        public var labels: [String: String]
        public var value: Double

        public init(_ value: Double, labels: [String: String] = [:]) {
            self.labels = labels
            self.value = value
        }
    }

    private struct Entry: Sendable {
        let name: String
        let help: String
        let type: String
        let write: @Sendable (inout Exposition, String) async -> Void
    }

    private let entries = Mutex<[Entry]>([])

    public init() {}

    // MARK: Making metrics

    /// A number that rises. Its name ends with `_total`.
    public func counter(_ name: String, _ help: String) -> Counter {
        let counter = Counter()
        add(name, help, "counter") { exposition, name in exposition.line(name, [], Double(counter.value)) }
        return counter
    }

    public func counters(_ name: String, _ help: String, labels: String...) -> Family<Counter> {
        let family = Family(labels: labels) { Counter() }
        add(name, help, "counter") { exposition, name in
            for (labels, counter) in family.all { exposition.line(name, labels, Double(counter.value)) }
        }
        return family
    }

    /// A number that rises and falls.
    public func gauge(_ name: String, _ help: String) -> Gauge {
        let gauge = Gauge()
        add(name, help, "gauge") { exposition, name in exposition.line(name, [], Double(gauge.value)) }
        return gauge
    }

    public func gauges(_ name: String, _ help: String, labels: String...) -> Family<Gauge> {
        let family = Family(labels: labels) { Gauge() }
        add(name, help, "gauge") { exposition, name in
            for (labels, gauge) in family.all { exposition.line(name, labels, Double(gauge.value)) }
        }
        return family
    }

    /// Numbers that are looked up whenever somebody asks. None means that they are not known at present.
    ///
    /// - Parameter read: ends soon when its task is cancelled, which happens after two seconds.
    public func gauge(_ name: String, _ help: String, read: @escaping @Sendable () async -> [Sample]) {
        add(name, help, "gauge") { exposition, name in
            for sample in await Self.limited(read) {
                exposition.line(name, sample.labels.sorted { $0.key < $1.key }, sample.value)
            }
        }
    }

    /// How long something takes. Its name ends with `_seconds`.
    public func histogram(
        _ name: String,
        _ help: String,
        bounds: [Duration] = Histogram.standardBounds
    ) -> Histogram {
        let histogram = Histogram(bounds: bounds)
        add(name, help, "histogram") { exposition, name in exposition.lines(name, [], histogram) }
        return histogram
    }

    public func histograms(
        _ name: String,
        _ help: String,
        labels: String...,
        bounds: [Duration] = Histogram.standardBounds
    ) -> Family<Histogram> {
        let family = Family(labels: labels) { Histogram(bounds: bounds) }
        add(name, help, "histogram") { exposition, name in
            for (labels, histogram) in family.all { exposition.lines(name, labels, histogram) }
        }
        return family
    }

    private func add(
        _ name: String,
        _ help: String,
        _ type: String,
        write: @escaping @Sendable (inout Exposition, String) async -> Void
    ) {
        entries.withLock { entries in
            precondition(!entries.contains { $0.name == name }, "\(name) is registered twice")
            entries.append(Entry(name: name, help: help, type: type, write: write))
        }
    }

    // MARK: Reading them

    /// All metrics as text, in the order in which they were made.
    public func text() async -> String {
        var exposition = Exposition()
        for entry in entries.withLock({ $0 }) {
            exposition.head(entry.name, entry.help, entry.type)
            await entry.write(&exposition, entry.name)
        }
        return exposition.text
    }

    /// What hangs must not take the other metrics with it.
    private static func limited(_ read: @escaping @Sendable () async -> [Sample]) async -> [Sample] {
        await withTaskGroup(of: [Sample]?.self) { group in
            group.addTask { await read() }
            group.addTask {
                try? await Task.sleep(for: .seconds(2))
                return nil
            }
            let first = await group.next() ?? nil
            group.cancelAll()
            return first ?? []
        }
    }
}
