import ArgumentParser
import Logging

/// Logs go to standard error.
struct LogOptions: ParsableArguments {
    @Option(name: .long, help: "trace, debug, info, notice, warning, error or critical; else $SLUICE_LOG_LEVEL.")
    var logLevel: String?

    func logger(_ label: String, standard: Logger.Level) throws -> Logger {
        let name = logLevel ?? EnvironmentSetting.text("SLUICE_LOG_LEVEL")
        guard let level = name.map({ Logger.Level(rawValue: $0.lowercased()) }) ?? standard else {
            let levels = Logger.Level.allCases.map(\.rawValue).joined(separator: ", ")
            throw ValidationError("\"\(name ?? "")\" is not a log level; one of \(levels)")
        }
        var logger = Logger(label: label) { StreamLogHandler.standardError(label: $0) }
        logger.logLevel = level
        return logger
    }
}
