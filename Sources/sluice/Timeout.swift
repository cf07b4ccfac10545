import ArgumentParser
import MigrationEngine
import SchemaChange

/// A length of time in an argument, as Kubernetes writes it.
struct Timeout: ExpressibleByArgument {
    let duration: Duration

    var text: String { SpecDuration(duration).description }
    var defaultValueDescription: String { text }

    init(duration: Duration) {
        self.duration = duration
    }

    init?(argument: String) {
        guard let value = SpecDuration(argument) else { return nil }
        duration = value.duration
    }
}
