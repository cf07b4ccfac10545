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
        let names: [String]
        let write: @Sendable (inout Exposition) async -> Void
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
            for sample in await Self.limited(read) ?? [] {
                exposition.line(name, sample.labels.sorted { $0.key < $1.key }, sample.value)
            }
        }
    }

    /// One of several numbers that are looked up together. Nil means that it is not known at present.
    public struct Part<Reading>: Sendable {
        let name: String
        let help: String
        let value: @Sendable (Reading) -> Double?

        public init(_ name: String, _ help: String, value: @escaping @Sendable (Reading) -> Double?) {
            self.name = name
            self.help = help
            self.value = value
        }
    }

    /// Numbers that are looked up together, once whenever somebody asks, so that they are of the same moment.
    ///
    /// - Parameter read: ends soon when its task is cancelled, which happens after two seconds. Nil means that none of them is
    ///   known at present.
    public func gauges<Reading: Sendable>(_ parts: [Part<Reading>], read: @escaping @Sendable () async -> Reading?) {
        add(parts.map(\.name)) { exposition in
            let reading = await Self.limited(read)
            for part in parts {
                exposition.head(part.name, part.help, "gauge")
                if let value = reading.flatMap(part.value) { exposition.line(part.name, [], value) }
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
        add([name]) { exposition in
            exposition.head(name, help, type)
            await write(&exposition, name)
        }
    }

    private func add(_ names: [String], write: @escaping @Sendable (inout Exposition) async -> Void) {
        entries.withLock { entries in
            for name in names {
                precondition(!entries.contains { $0.names.contains(name) }, "\(name) is registered twice")
            }
            entries.append(Entry(names: names, write: write))
        }
    }

    // MARK: Reading them

    /// All metrics as text, in the order in which they were made.
    public func text() async -> String {
        var exposition = Exposition()
        for entry in entries.withLock({ $0 }) { await entry.write(&exposition) }
        return exposition.text
    }

    /// What hangs must not take the other metrics with it.
    private static func limited<Reading: Sendable>(
        _ read: @escaping @Sendable () async -> Reading?
    ) async -> Reading? {
        await withTaskGroup(of: Reading?.self) { group in
            group.addTask { await read() }
            group.addTask {
                try? await Task.sleep(for: .seconds(2))
                return nil
            }
            let first = await group.next() ?? nil
            group.cancelAll()
            return first
        }
    }
}
