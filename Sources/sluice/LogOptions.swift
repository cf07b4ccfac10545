import ArgumentParser
import Foundation
import Logging

/// Logs go to standard error.
struct LogOptions: ParsableArguments {
    @Option(name: .long, help: "trace, debug, info, notice, warning, error or critical; else $SLUICE_LOG_LEVEL.")
    var logLevel: String?

    @Option(
        name: .long, help: "text, for people, or json, an object on each line; else $SLUICE_LOG_FORMAT (default: text)."
    )
    var logFormat: LogFormat?

    func logger(_ label: String, standard: Logger.Level) throws -> Logger {
        let name = logLevel ?? ProcessInfo.processInfo.environment["SLUICE_LOG_LEVEL"]
        guard let level = name.map({ Logger.Level(rawValue: $0.lowercased()) }) ?? standard else {
            let levels = Logger.Level.allCases.map(\.rawValue).joined(separator: ", ")
            throw ValidationError("\"\(name ?? "")\" is not a log level; one of \(levels)")
        }
        let format = try EnvironmentSetting.value(logFormat, "SLUICE_LOG_FORMAT", else: .text)
        var logger = Logger(label: label) { label -> any LogHandler in
            switch format {
            case .text: StreamLogHandler.standardError(label: label)
            case .json: JSONLogHandler(label: label)
            }
        }
        logger.logLevel = level
        return logger
    }
}
