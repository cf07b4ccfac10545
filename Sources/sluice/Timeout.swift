import ArgumentParser
import MigrationEngine
import SchemaChange

/// A length of time in an argument, as Kubernetes writes it.
struct Timeout: ExpressibleByArgument, CustomStringConvertible {
    let duration: Duration

    init(duration: Duration) {
        self.duration = duration
    }

    init?(argument: String) {
        guard let value = SpecDuration(argument) else { return nil }
        duration = value.duration
    }

    /// For an option that says what is wrong.
    static func parse(_ argument: String) throws -> Timeout {
        guard let timeout = Timeout(argument: argument) else {
            throw ValidationError(
                "a length of time has its unit, such as 90s, 10m or 24h, and is at most a hundred years")
        }
        return timeout
    }

    /// In the largest unit of which it is a whole number.
    var description: String {
        let milliseconds = Int64((duration / .milliseconds(1)).rounded())
        let units = [("h", 3_600_000), ("m", 60_000), ("s", 1000)] as [(String, Int64)]
        guard let (unit, length) = units.first(where: { milliseconds % $0.1 == 0 && milliseconds >= $0.1 }) else {
            return "\(milliseconds)ms"
        }
        return "\(milliseconds / length)\(unit)"
    }
}
