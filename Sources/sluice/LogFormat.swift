import ArgumentParser

/// How a line of the log looks.
enum LogFormat: String, ExpressibleByArgument, CaseIterable {
    /// For people.
    case text
    /// For programs: an object on each line.
    case json
}
