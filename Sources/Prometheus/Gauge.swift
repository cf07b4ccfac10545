internal import Synchronization

/// A whole number that rises and falls.
public final class Gauge: Sendable {
    private let number = Atomic<Int64>(0)

    /// One that belongs to no registry, or not yet.
    public init() {}

    public var value: Int64 { number.load(ordering: .relaxed) }

    public func set(_ value: Int64) {
        number.store(value, ordering: .relaxed)
    }

    public func add(_ amount: Int64) {
        number.wrappingAdd(amount, ordering: .relaxed)
    }
}
