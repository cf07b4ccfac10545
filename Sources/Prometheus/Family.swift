internal import Synchronization

/// Metrics of one name, one for each combination of its labels' values.
///
/// Whoever counts often keeps what ``with(_:)`` returns. The values of labels are few and known: never what a user sends.
public final class Family<Metric: Sendable>: Sendable {
    let labels: [String]
    private let make: @Sendable () -> Metric
    private let metrics = Mutex<[[String]: Metric]>([:])

    init(labels: [String], make: @escaping @Sendable () -> Metric) {
        self.labels = labels
        self.make = make
    }

    /// The metric of these values, in the order of the labels' names; made when it is asked for first.
    public func with(_ values: String...) -> Metric {
        precondition(values.count == labels.count, "a value for each of \(labels)")
        return metrics.withLock { metrics in
            if let metric = metrics[values] { return metric }
            let metric = make()
            metrics[values] = metric
            return metric
        }
    }

    /// All of them, in the order of their labels' values.
    var all: [(labels: [(String, String)], metric: Metric)] {
        metrics.withLock { $0 }
            .sorted { $0.key.lexicographicallyPrecedes($1.key) }
            .map { (Array(zip(labels, $0.key)), $0.value) }
    }
}
